"""Accounts: invitations, passwords, sessions, roles and the log of what people did with them.

The web application and the command line use them; all state is in the project's database.
"""

from emonet.annotation.accounts._invitations import invite, join, read_invitation
from emonet.annotation.accounts._passwords import SHORTEST, check_new_password, hash_password, verify_password
from emonet.annotation.accounts._records import (
    ROLES,
    Invitation,
    InvitationError,
    NewSession,
    PasswordError,
    SignInError,
    TooManyAttemptsError,
    Visitor,
)
from emonet.annotation.accounts._sessions import end_session, end_sessions, find_visitor, start_session
from emonet.annotation.accounts._sign_in import change_password, set_active, sign_in
from emonet.annotation.accounts._tokens import new_token, same_token, token_hash
from emonet.annotation.store import RoleName, record

__all__ = [
    "ROLES",
    "SHORTEST",
    "Invitation",
    "InvitationError",
    "NewSession",
    "PasswordError",
    "RoleName",
    "SignInError",
    "TooManyAttemptsError",
    "Visitor",
    "change_password",
    "check_new_password",
    "end_session",
    "end_sessions",
    "find_visitor",
    "hash_password",
    "invite",
    "join",
    "new_token",
    "read_invitation",
    "record",
    "same_token",
    "set_active",
    "sign_in",
    "start_session",
    "token_hash",
    "verify_password",
]
