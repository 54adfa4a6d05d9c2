// Usage: nntp_server.js PORT open|login [CERT KEY]: lab.test, without articles; with a certificate, by TLS from the first byte.
const fs = require("fs");
const NNTP = require("nntp-server");

const [port, access, cert, key] = process.argv.slice(2);
const group = { name: "lab.test", min_index: 1, max_index: 0, total: 0 };
const server = new NNTP({
  requireAuth: access === "login",
  secure: Boolean(cert),
  tls: cert && { cert: fs.readFileSync(cert), key: fs.readFileSync(key) },
});
server._getGroups = async () => [group];
server._selectGroup = async (session, name) => {
  if (name !== group.name) return false;
  session.group = { ...group, current_article: 0 };
  return true;
};
server.listen(`${cert ? "nntps" : "nntp"}://127.0.0.1:${port}`);
