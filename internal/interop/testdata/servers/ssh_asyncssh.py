# Usage: ssh_asyncssh.py PORT KEY...: passwords alone, none of which is right.
import asyncio
import sys

import asyncssh


class Nobody(asyncssh.SSHServer):
    def password_auth_supported(self):
        return True

    def validate_password(self, username, password):
        return False


async def main():
    server = await asyncssh.create_server(Nobody, "127.0.0.1", int(sys.argv[1]), server_host_keys=sys.argv[2:])
    await server.wait_closed()


asyncio.run(main())
