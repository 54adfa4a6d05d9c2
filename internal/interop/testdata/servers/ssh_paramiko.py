# Usage: ssh_paramiko.py PORT KEY...: passwords and keys, none of which is right.
import socket
import sys
import threading

import paramiko


class Nobody(paramiko.ServerInterface):
    def get_allowed_auths(self, username):
        return "password,publickey"


def load(path):
    for kind in (paramiko.RSAKey, paramiko.ECDSAKey, paramiko.Ed25519Key):
        try:
            return kind.from_private_key_file(path)
        except paramiko.SSHException:
            pass
    raise ValueError(path)


keys = [load(path) for path in sys.argv[2:]]
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
transports = []  # a transport that nobody refers to would end
while True:
    transport = paramiko.Transport(listener.accept()[0])
    for key in keys:
        transport.add_server_key(key)
    transport.start_server(event=threading.Event(), server=Nobody())
    transports.append(transport)
