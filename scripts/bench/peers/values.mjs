// Amounts, lengths of time and dates as the product shows them.
const DOLLARS = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });
const DATE = new Intl.DateTimeFormat("en-CA", { timeZone: "America/Los_Angeles" });
const MONTH = new Intl.DateTimeFormat("en-US", { month: "long", year: "numeric", timeZone: "UTC" });
const KEPT = 8192;

function remembered(write) {
  const known = new Map();
  return (value) => {
    let text = known.get(value);
    if (text === undefined) {
      text = write(value);
      if (known.size >= KEPT) known.clear();
      known.set(value, text);
    }
    return text;
  };
}

export function amount(cents) {
  const whole = Math.abs(cents);
  return `${cents < 0 ? "-" : ""}${Math.floor(whole / 100)}.${String(whole % 100).padStart(2, "0")}`;
}

// Making such a text takes microseconds; the product remembers them too.
export const formatted = remembered((cents) => DOLLARS.format(cents / 100));

const monthName = remembered((startsOn) => MONTH.format(new Date(startsOn)));

export const endOfMonth = remembered((startsOn) => {
  const [year, month] = startsOn.split("-").map(Number);
  return month === 12 ? `${year + 1}-01-01` : `${String(year).padStart(4, "0")}-${String(month + 1).padStart(2, "0")}-01`;
});

export function minutes(seconds) {
  return amount(Math.floor((seconds * 200 + 60) / 120));
}

export function price(seconds, rate) {
  return Math.floor((seconds * rate * 2 + 6000) / 12000);
}

export function instant(stored) {
  return stored === null ? null : `${stored.slice(0, 10)}T${stored.slice(11, 23)}Z`;
}

export function stored(at) {
  return at.toISOString().replace("T", " ").replace("Z", "000");
}

export function billingDate(at) {
  return DATE.format(at);
}

export function dayAfter(on) {
  return new Date(Date.parse(on) + 86_400_000).toISOString().slice(0, 10);
}

// 06:00 of a date in the billing zone: as many hours later in UTC as the zone is behind it then.
export const sixInTheMorning = remembered((on) => {
  const at = new Date(`${on}T13:00:00.000Z`);
  const zone = new Intl.DateTimeFormat("en-US", { timeZone: "America/Los_Angeles", hour: "numeric", hourCycle: "h23" });
  return new Date(at.getTime() + (6 - Number(zone.format(at))) * 3_600_000).toISOString();
});

export function lineTitle(kind, startsOn, inputs) {
  switch (kind) {
    case "CHARGE":
      return inputs.title;
    case "BASE":
      return `${inputs.plan_name} plan, ${monthName(startsOn)}`;
    case "OVERAGE":
      return `Minutes above the allowance of ${inputs.plan_name}, ${monthName(startsOn)}`;
    case "PATCH":
      return `Patched calls, ${monthName(startsOn)}`;
    case "IVR":
      return `Automated (IVR) time, ${monthName(startsOn)}`;
    default:
      throw new Error(`The bench's database has no line ${kind}.`);
  }
}
