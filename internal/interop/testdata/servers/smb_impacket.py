# Usage: smb_impacket.py PORT PUB: the share pub. Whoever comes is let in, as impacket's server does without accounts.
import sys

from impacket.smbserver import SimpleSMBServer

server = SimpleSMBServer(listenAddress="127.0.0.1", listenPort=int(sys.argv[1]))
server.addShare("PUB", sys.argv[2], "Public files")
server.setSMB2Support(True)
server.start()
