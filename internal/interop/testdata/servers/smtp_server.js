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
new SMTPServer({ ...options, secure: true }).listen(Number(implicit), "127.0.0.1");
new SMTPServer(options).listen(Number(port), "127.0.0.1");
