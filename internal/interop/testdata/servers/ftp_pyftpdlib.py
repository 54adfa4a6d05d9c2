# Usage: ftp_pyftpdlib.py PORT FIRST LAST ROOT [CERT KEY]. With a certificate, no login is taken without TLS.
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.servers import FTPServer

port, first, last, root = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
handler = FTPHandler
if len(sys.argv) > 5:
    handler = TLS_FTPHandler
    handler.certfile, handler.keyfile = sys.argv[5:7]
    handler.tls_control_required = handler.tls_data_required = True
handler.authorizer = DummyAuthorizer()
handler.authorizer.add_anonymous(root)
handler.passive_ports = range(first, last + 1)
FTPServer(("127.0.0.1", port), handler).serve_forever()
