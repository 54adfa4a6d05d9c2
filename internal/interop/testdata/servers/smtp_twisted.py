# Usage: smtp_twisted.py PORT [CERT KEY]. With a certificate it offers STARTTLS; it offers LOGIN and PLAIN.
import sys

from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import Portal
from twisted.internet import reactor, ssl
from twisted.mail.imap4 import LOGINCredentials, PLAINCredentials
from twisted.mail.smtp import ESMTP, SMTPFactory


class Factory(SMTPFactory):
    domain = "mx.twisted.test"

    def buildProtocol(self, addr):
        p = SMTPFactory.buildProtocol(self, addr)
        p.challengers = {b"LOGIN": LOGINCredentials, b"PLAIN": PLAINCredentials}
        if len(sys.argv) > 2:
            p.ctx = ssl.DefaultOpenSSLContextFactory(sys.argv[3], sys.argv[2])
            p.canStartTLS = True
        return p


factory = Factory(Portal(None, [InMemoryUsernamePasswordDatabaseDontUse()]))
factory.protocol = ESMTP
reactor.listenTCP(int(sys.argv[1]), factory, interface="127.0.0.1")
reactor.run()
