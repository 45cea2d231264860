"""Dovecot's auth service alone: XOAUTH2 and OAUTHBEARER by token introspection, PLAIN and LOGIN from a file.

Postfix asks it at `socket`. No mail protocol is started.
"""

from bench.machine import require, require_root, wait_until

CONFIGURATION = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
auth_verbose = yes
# A refused login is answered at once: the tests count answers, they do not wait for them.
auth_failure_delay = 0
auth_mechanisms = xoauth2 oauthbearer plain login
protocols =
ssl = no
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf
}}
passdb {{
  driver = passwd-file
  mechanisms = plain login
  args = {folder}/passwords
}}
userdb {{
  driver = static
  args = uid=dovenull gid=dovenull home=/nonexistent
}}
service auth {{
  unix_listener {folder}/auth {{
    mode = 0660
    user = postfix
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0600
  }}
}}
"""

INTROSPECTION = """\
introspection_mode = post
introspection_url = {url}
username_attribute = email
active_attribute = active
active_value = true
"""


class Dovecot:
    """One running auth service."""

    def __init__(self, machine, introspection_url, passwords):
        require("dovecot")
        require_root()
        self.folder = machine.folder("dovecot")
        self.socket = self.folder / "auth"
        (self.folder / "oauth2.conf").write_text(INTROSPECTION.format(url=introspection_url))
        (self.folder / "passwords").write_text(
            "".join(f"{user}:{{PLAIN}}{password}\n" for user, password in passwords.items())
        )
        configuration = self.folder / "dovecot.conf"
        configuration.write_text(CONFIGURATION.format(folder=self.folder))
        machine.start(["dovecot", "-F", "-c", configuration], self.folder / "output")
        wait_until(self.socket.exists, "Dovecot's auth socket does not appear")
