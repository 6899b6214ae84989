// The fields of a card, in a frame of the gateway's own origin: the page around them gets a nonce and never the number.
(() => {
  const parameters = new URLSearchParams(location.search);
  const parent = parameters.get("parent");
  const tokenizer = parameters.get("tokenizer");
  const authorization = parameters.get("authorization");
  const form = document.getElementById("card");
  const NAMES = ["number", "expiry", "cvv", "postal"];
  const tell = (message) => window.parent.postMessage({ source: "card-fields", ...message }, parent);

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

  const check = () => {
    const errors = {};
    const number = digits(form.number.value);
    if (number.length < 12 || number.length > 19 || !passesLuhn(number)) errors.number = "This card number is not valid.";
    if (!expiryOf(form.expiry.value)) errors.expiry = "Enter month and year, such as 12/30.";
    if (!/^\d{3,4}$/.test(form.cvv.value.trim())) errors.cvv = "Enter the three or four digits of the security code.";
    return errors;
  };
  const show = (errors) => {
    for (const name of NAMES) {
      document.getElementById(`${name}-error`).textContent = errors[name] ?? "";
      form[name].setAttribute("aria-invalid", String(name in errors));
    }
    const first = NAMES.find((name) => name in errors);
    if (first) form[first].focus();
    resize();
  };
  const resize = () => tell({ kind: "height", pixels: document.documentElement.getBoundingClientRect().height });

  const tokenize = async () => {
    const errors = check();
    show(errors);
    if (Object.keys(errors).length > 0) return { errors };
    const { month, year } = expiryOf(form.expiry.value);
    const creditCard = { number: digits(form.number.value), expirationMonth: month, expirationYear: year, cvv: form.cvv.value.trim() };
    if (form.postal.value.trim()) creditCard.billingAddress = { postalCode: form.postal.value.trim() };
    const response = await fetch(tokenizer, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ authorizationFingerprint: authorization, creditCard }),
    });
    const answer = await response.json();
    const card = answer.creditCards?.[0];
    if (!card) {
      const refused = { number: answer.error?.message ?? "This card cannot be used." };
      show(refused);
      return { errors: refused };
    }
    return { nonce: card.nonce, description: card.description ?? "" };
  };

  addEventListener("message", async (event) => {
    if (event.origin !== parent || event.source !== window.parent || event.data?.target !== "card-fields") return;
    if (event.data.kind === "focus") form.number.focus();
    if (event.data.kind !== "tokenize") return;
    try {
      tell({ kind: "answer", id: event.data.id, ...(await tokenize()) });
    } catch {
      tell({ kind: "answer", id: event.data.id, errors: { number: "The payment service cannot be reached. Try again in a minute." } });
    }
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  new ResizeObserver(resize).observe(document.body);
  tell({ kind: "ready" });
})();
