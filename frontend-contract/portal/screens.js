// Which screen an address names. The paths of `routes.json`, to which mails lead, are among them.

/**
 * @typedef {object} ScreenOf
 * @property {string} path
 * @property {string} title
 * @property {string} [tab] what its tab is called
 * @property {string} group what the tabs are under
 * @property {string} permission without which its tab is not shown
 * @property {string} operation the one that its first view asks
 * @property {() => Promise<any>} load
 */

/** @type {Record<string, ScreenOf>} */
export const screens = {
  summary: {
    path: "/billing/summary", title: "Summary", tab: "Summary", group: "Billing", permission: "VIEW_SUMMARY",
    operation: "SummaryOpen", load: () => import("./screens/summary.js"),
  },
  plan: {
    path: "/billing/plan", title: "Plan", tab: "Plan", group: "Billing", permission: "VIEW_PLANS",
    operation: "PlanOpen", load: () => import("./screens/plan.js"),
  },
  invoices: {
    path: "/billing/invoices", title: "Invoices", tab: "Invoices", group: "Billing", permission: "VIEW_INVOICES",
    operation: "InvoicesList", load: () => import("./screens/invoices.js"),
  },
  paymentMethods: {
    path: "/billing/payment-methods", title: "Payment Method", tab: "Payment Method", group: "Billing",
    permission: "VIEW_PAYMENT_DETAILS", operation: "PaymentMethodsList", load: () => import("./screens/payment-methods.js"),
  },
  contacts: {
    path: "/billing/contacts", title: "Payment Contacts", tab: "Payment Contacts", group: "Billing",
    permission: "MANAGE_CONTACTS", operation: "ContactsList", load: () => import("./screens/contacts.js"),
  },
  addOns: {
    path: "/billing/add-ons", title: "Add Ons", tab: "Add Ons", group: "Billing", permission: "VIEW_PLANS",
    operation: "AddOnsList", load: () => import("./screens/add-ons.js"),
  },
  alerts: {
    path: "/settings/alerts", title: "Alerts", tab: "Alerts", group: "Settings", permission: "MANAGE_ALERTS",
    operation: "AlertsOpen", load: () => import("./screens/alerts.js"),
  },
  invoice: {
    path: "/billing/invoices/", title: "Invoice", group: "Billing", permission: "VIEW_INVOICES",
    operation: "InvoiceShow", load: () => import("./screens/invoice.js"),
  },
};

/**
 * @param {string} path
 * @returns {{ screen: ScreenOf, id: string | null, isKnown: boolean }}
 */
export function activeScreen(path) {
  const found = Object.values(screens).find((each) => each.path === path);
  if (found) return { screen: found, id: null, isKnown: true };
  const id = path.startsWith(screens.invoice.path) ? path.slice(screens.invoice.path.length) : "";
  if (id) return { screen: { ...screens.invoice, tab: "Invoices" }, id: decodeURIComponent(id), isKnown: true };
  return { screen: screens.summary, id: null, isKnown: false };
}
