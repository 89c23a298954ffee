"""What a key may do. A key holds some of these; each endpoint asks for one."""

from enum import StrEnum


class Scope(StrEnum):
    """One permission. The text is what the command line, the API and the database say."""

    EVENTS_WRITE = "events:write"
    EVENTS_READ = "events:read"
    CALCULATE = "calculate"
    MEMBERS_READ = "members:read"
    MEMBERS_WRITE = "members:write"
    POINTS_ADJUST = "points:adjust"
    REWARDS_READ = "rewards:read"
    REWARDS_REDEEM = "rewards:redeem"
    CODES_REDEEM = "codes:redeem"
    CODES_WRITE = "codes:write"
    PROGRAM_READ = "program:read"
    PROGRAM_WRITE = "program:write"


MEANINGS: dict[Scope, str] = {
    Scope.EVENTS_WRITE: "send events, one by one or in batches",
    Scope.EVENTS_READ: "read events, decisions and explanations",
    Scope.CALCULATE: "ask what a purchase would earn",
    Scope.MEMBERS_READ: "read members, their wallets, tiers and statements",
    Scope.MEMBERS_WRITE: "enrol, change, suspend and close members",
    Scope.POINTS_ADJUST: "add and take away points by hand, with a reason",
    Scope.REWARDS_READ: "read the catalogue of rewards, what members can have of it, and redemptions",
    Scope.REWARDS_REDEEM: "redeem rewards for members, confirm, cancel and refund",
    Scope.CODES_REDEEM: "check, use and release codes at tills",
    Scope.CODES_WRITE: "import codes into pools",
    Scope.PROGRAM_READ: "read the program and its versions",
    Scope.PROGRAM_WRITE: "publish versions of the program",
}
