// Access tokens: ES256, issuer, audience, type and lifetime; those that passed are remembered until they expire.
import { importJWK, jwtVerify } from "jose";

export class TokenVerifier {
  #given;
  #keys = new Map();
  #known = new Map();

  constructor(given) {
    this.#given = given;
  }

  async verify(token) {
    const known = this.#known.get(token);
    if (known !== undefined) {
      if (Date.now() / 1000 >= known.expiresAt) throw new Error("The token has expired.");
      return known;
    }
    const { issuer, audience, algorithm } = this.#given;
    const options = { issuer, audience, algorithms: [algorithm], typ: "at+jwt" };
    const { payload } = await jwtVerify(token, (header) => this.#key(header.kid), options);
    const verified = { subject: payload.sub, account: payload.account, expiresAt: payload.exp };
    this.#known.set(token, verified);
    return verified;
  }

  async #key(kid) {
    if (!this.#keys.has(kid)) {
      const found = this.#given.keys.keys.find((each) => each.kid === kid);
      this.#keys.set(kid, await importJWK(found, this.#given.algorithm));
    }
    return this.#keys.get(kid);
  }
}
