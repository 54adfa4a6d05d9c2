# Usage: samba_provision.py DIR: makes the domain LAB (lab.test) and its first controller, DC1, as samba-tool does; but for
# the ACLs of its shares, for which Samba's modules would have to be installed.
import logging
import sys

from samba import dsdb
from samba.auth import system_session
from samba.param import LoadParm
from samba.provision import provision

lp = LoadParm()
lp.load("/dev/null")
provision(
    logging.getLogger(), system_session(), smbconf=None, targetdir=sys.argv[1], lp=lp, serverrole="dc",
    realm="lab.test", domain="LAB", hostname="dc1", hostip="127.0.0.1", adminpass="Correct-Horse-1",
    dns_backend="NONE", skip_sysvolacl=True,
    dom_for_fun_level=dsdb.DS_DOMAIN_FUNCTION_2008_R2,
)
