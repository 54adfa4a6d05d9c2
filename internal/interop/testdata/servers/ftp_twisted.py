# Usage: ftp_twisted.py PORT FIRST LAST ROOT. Anonymous alone may log in.
import sys

from twisted.cred.checkers import AllowAnonymousAccess
from twisted.cred.portal import Portal
from twisted.internet import reactor
from twisted.protocols.ftp import FTPFactory, FTPRealm

port, first, last, root = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
factory = FTPFactory(Portal(FTPRealm(root), [AllowAnonymousAccess()]))
factory.passivePortRange = range(first, last + 1)
reactor.listenTCP(port, factory, interface="127.0.0.1")
reactor.run()
