"""Runs over many members in chunks that are kept as they are done: stored, spread over processes, resumed, asked."""

from nanotrial.campaign.execute import Campaign, resume, run_campaign
from nanotrial.campaign.plan import Column, Plan, Work, read_plan
from nanotrial.campaign.query import Moments, counts_by_reason, frame, moments, open_members, quantiles

__all__ = [
    "Campaign",
    "Column",
    "Moments",
    "Plan",
    "Work",
    "counts_by_reason",
    "frame",
    "moments",
    "open_members",
    "quantiles",
    "read_plan",
    "resume",
    "run_campaign",
]
