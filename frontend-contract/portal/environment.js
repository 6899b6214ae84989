// Comes before every library: some of them ask what a bundler would have answered.
Object.assign(globalThis, { process: { env: { NODE_ENV: "production" } } });
