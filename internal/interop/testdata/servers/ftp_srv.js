// Usage: ftp_srv.js PORT FIRST LAST ROOT [CERT KEY]: TLS from the first byte, with a certificate. Anonymous alone may log in.
const fs = require("fs");
const { FtpSrv } = require("ftp-srv");

const [port, first, last, root, cert, key] = process.argv.slice(2);
const server = new FtpSrv({
  url: `${cert ? "ftps" : "ftp"}://127.0.0.1:${port}`,
  pasv_url: "127.0.0.1", pasv_min: Number(first), pasv_max: Number(last),
  anonymous: true,
  tls: cert ? { cert: fs.readFileSync(cert), key: fs.readFileSync(key) } : false,
});
server.on("login", ({ username }, resolve, reject) => {
  if (username === "anonymous") resolve({ root });
  else reject(new Error("Not you"));
});
server.listen();
