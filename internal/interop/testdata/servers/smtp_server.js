// Usage: smtp_server.js PORT IMPLICIT CERT KEY: two listeners, with STARTTLS and with TLS from the first byte.
const fs = require("fs");
const { SMTPServer } = require("smtp-server");

const [port, implicit, cert, key] = process.argv.slice(2);
const options = {
  name: "mx.smtp-server.test",
  cert: fs.readFileSync(cert), key: fs.readFileSync(key),
  disableReverseLookup: true,
  onAuth: (auth, session, callback) => callback(new Error("Not you")),
};
for (const [secure, on] of [[true, implicit], [false, port]]) {
  const server = new SMTPServer({ ...options, secure });
  server.on("error", () => {}); // a client's handshake that fails would end the process
  server.listen(Number(on), "127.0.0.1");
}
