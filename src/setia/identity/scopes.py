"""What a key may do. A key holds some of these; each endpoint asks for one."""

from enum import StrEnum


class Scope(StrEnum):
    """One permission. The text is what the command line, the API and the database say."""

    EVENTS_WRITE = "events:write"
    EVENTS_READ = "events:read"
    CALCULATE = "calculate"
    MEMBERS_READ = "members:read"
    MEMBERS_WRITE = "members:write"
    MEMBERS_MERGE = "members:merge"
    POINTS_ADJUST = "points:adjust"
    POINTS_TRANSFER = "points:transfer"
    REWARDS_READ = "rewards:read"
    REWARDS_REDEEM = "rewards:redeem"
    REWARDS_DRAW = "rewards:draw"
    CODES_REDEEM = "codes:redeem"
    CODES_WRITE = "codes:write"
    GIFT_CARDS_READ = "gift_cards:read"
    GIFT_CARDS_WRITE = "gift_cards:write"
    GIFT_CARDS_REDEEM = "gift_cards:redeem"
    REWARD_LINKS_READ = "reward_links:read"
    REWARD_LINKS_WRITE = "reward_links:write"
    REFERRALS_READ = "referrals:read"
    REFERRALS_WRITE = "referrals:write"
    POINTS_SELL = "points:sell"
    REVIEWS_DECIDE = "reviews:decide"
    PROGRAM_READ = "program:read"
    PROGRAM_WRITE = "program:write"


MEANINGS: dict[Scope, str] = {
    Scope.EVENTS_WRITE: "send events, one by one or in batches",
    Scope.EVENTS_READ: "read events, decisions and explanations",
    Scope.CALCULATE: "ask what a purchase would earn",
    Scope.MEMBERS_READ: "read members, their wallets, tiers and statements",
    Scope.MEMBERS_WRITE: "enrol, change, suspend and close members",
    Scope.MEMBERS_MERGE: "merge members who are one, and undo it",
    Scope.POINTS_ADJUST: "add and take away points by hand, with a reason",
    Scope.POINTS_TRANSFER: "move points from a member to another, and exchange them for other points",
    Scope.REWARDS_READ: "read the catalogue of rewards, what members can have of it, and redemptions",
    Scope.REWARDS_REDEEM: "redeem rewards for members, confirm, cancel and refund",
    Scope.REWARDS_DRAW: "promise draws of raffles, and draw the winners",
    Scope.CODES_REDEEM: "check, use and release codes at tills",
    Scope.CODES_WRITE: "import codes into pools",
    Scope.GIFT_CARDS_READ: "read gift cards, their entries, and the report on them",
    Scope.GIFT_CARDS_WRITE: "issue, load, move, block and extend gift cards",
    Scope.GIFT_CARDS_REDEEM: "look gift cards up by code, take money from them and refund it",
    Scope.REWARD_LINKS_READ: "read reward links and their figures",
    Scope.REWARD_LINKS_WRITE: "make and withdraw reward links",
    Scope.REFERRALS_READ: "read referrals, members' codes, and the funnel",
    Scope.REFERRALS_WRITE: "give members codes, invite friends, and add fingerprints",
    Scope.POINTS_SELL: "sell points to members, and take them back",
    Scope.REVIEWS_DECIDE: "approve and void points under review",
    Scope.PROGRAM_READ: "read the program and its versions",
    Scope.PROGRAM_WRITE: "publish versions of the program",
}
