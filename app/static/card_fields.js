// The fields of a card, in a frame of the gateway's own origin: the page around them gets a nonce and never the number.
(() => {
  const parameters = new URLSearchParams(location.search);
  const parent = parameters.get("parent");
  const tokenizer = parameters.get("tokenizer");
  const form = document.getElementById("card");
  const COLORS = ["text", "surface", "border", "bad", "accent"];
  const UNREACHABLE = "The payment service cannot be reached. Try again in a minute.";

  const originOf = (text) => {
    try {
      return new URL(text);
    } catch {
      return null;
    }
  };
  const isLoopback = (text) => {
    const url = originOf(text);
    return url !== null && url.origin === text && ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
  };
  const isOurs = originOf(tokenizer)?.origin === location.origin;
  if (window.parent === window || !isLoopback(parent) || !isOurs) {
    form.hidden = true;
    document.getElementById("alone").hidden = false;
    return;
  }
  const tell = (message) => window.parent.postMessage({ source: "card-fields", ...message }, parent);

  const theme = parameters.get("theme");
  if (theme === "light" || theme === "dark") document.documentElement.style.colorScheme = theme;
  for (const name of COLORS) {
    const color = parameters.get(name);
    if (color && CSS.supports("color", color)) document.documentElement.style.setProperty(`--${name}`, color);
  }

  const digits = (text) => text.replaceAll(/\D/g, "");
  const passesLuhn = (number) => {
    const sum = [...number].reverse().reduce((total, digit, place) => {
      const value = Number(digit) * (place % 2 ? 2 : 1);
      return total + (value > 9 ? value - 9 : value);
    }, 0);
    return sum % 10 === 0;
  };
  const expiryOf = (text) => {
    const match = /^\s*(\d{1,2})\s*\/\s*(\d{2}|\d{4})\s*$/.exec(text);
    if (!match || Number(match[1]) < 1 || Number(match[1]) > 12) return null;
    return { month: match[1].padStart(2, "0"), year: match[2].length === 2 ? `20${match[2]}` : match[2] };
  };
  const isNumber = (text) => {
    const number = digits(text);
    return number.length >= 12 && number.length <= 19 && passesLuhn(number);
  };
  const FIELDS = {
    number: { isValid: isNumber, wrong: "This card number is not valid." },
    expirationDate: { isValid: (text) => expiryOf(text) !== null, wrong: "Enter month and year, such as 12/30." },
    cvv: { isValid: (text) => /^\d{3,4}$/.test(text.trim()), wrong: "Enter the three or four digits of the security code." },
    postalCode: { isValid: () => true },
  };
  const NAMES = Object.keys(FIELDS);

  const check = () => Object.fromEntries(NAMES.filter((name) => !FIELDS[name].isValid(form[name].value)).map((name) => [name, FIELDS[name].wrong]));
  const show = (errors, message = "") => {
    for (const name of NAMES) {
      document.getElementById(`${name}-error`).textContent = errors[name] ?? "";
      form[name].setAttribute("aria-invalid", String(name in errors));
    }
    document.getElementById("form-error").textContent = message;
    const first = NAMES.find((name) => name in errors);
    if (first) form[first].focus();
    tellHeight();
  };
  const tellHeight = () => tell({ kind: "height", pixels: document.documentElement.getBoundingClientRect().height });
  const tellState = () => {
    const stateOf = (name) => ({
      isEmpty: form[name].value.trim() === "",
      isValid: FIELDS[name].isValid(form[name].value),
      isFocused: document.activeElement === form[name],
    });
    tell({ kind: "state", fields: Object.fromEntries(NAMES.map((name) => [name, stateOf(name)])) });
  };

  const refusedBy = (answer) => {
    const found = answer.fieldErrors?.flatMap(({ fieldErrors }) => fieldErrors) ?? [];
    return Object.fromEntries(found.filter(({ field }) => field in FIELDS).map(({ field, message }) => [field, message]));
  };
  const tokenize = async () => {
    const wrong = check();
    show(wrong);
    if (Object.keys(wrong).length > 0) return { errors: wrong };
    const { month, year } = expiryOf(form.expirationDate.value);
    const creditCard = { number: digits(form.number.value), expirationMonth: month, expirationYear: year, cvv: form.cvv.value.trim() };
    if (form.postalCode.value.trim()) creditCard.billingAddress = { postalCode: form.postalCode.value.trim() };
    const response = await fetch(tokenizer, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ authorizationFingerprint: parameters.get("authorization"), creditCard }),
    });
    const answer = await response.json();
    const card = answer.creditCards?.[0];
    if (card) return { nonce: card.nonce, description: card.description };
    const errors = refusedBy(answer);
    const message = Object.keys(errors).length ? "" : UNREACHABLE;
    show(errors, message);
    return { errors, message };
  };

  addEventListener("message", async (event) => {
    if (event.origin !== parent || event.source !== window.parent || event.data?.target !== "card-fields") return;
    if (event.data.kind !== "tokenize") return;
    try {
      tell({ kind: "answer", id: event.data.id, ...(await tokenize()) });
    } catch {
      show({}, UNREACHABLE);
      tell({ kind: "answer", id: event.data.id, errors: {}, message: UNREACHABLE });
    }
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const event of ["input", "focusin", "focusout"]) form.addEventListener(event, () => setTimeout(tellState));
  new ResizeObserver(tellHeight).observe(document.body);
  tell({ kind: "ready" });
})();
