//! What must hold after every step, computed anew from the entries and the people.

use super::*;

impl Queue {
    pub(in crate::queue) fn check(&self) {
        self.line.check();
        self.roster.check();
        let offers = self.line.in_order();
        let offers = offers.flat_map(|e| e.offers.iter().map(|r| (*r, e.contact)));
        assert_eq!(self.offered, offers.collect(), "open offers");
        for entry in self.line.in_order() {
            let contact = entry.contact;
            let grave = self.left.get(&contact).map(|grave| grave.attach_no);
            assert!(
                grave.is_none_or(|ended| ended < entry.attach_no),
                "{contact} waits and is gone"
            );
            assert_eq!(
                entry.offered_due.is_some(),
                !entry.offers.is_empty(),
                "{contact}"
            );
            let is_lost = !entry.attached && entry.kind != ContactKind::Callback;
            assert_eq!(entry.lost_due.is_some(), is_lost, "{contact}");
            let once: BTreeSet<_> = entry.offers.iter().map(|r| r.agent).collect();
            assert_eq!(
                once.len(),
                entry.offers.len(),
                "{contact} twice to one agent"
            );
        }
        for (agent, contact) in self.line.covers() {
            let bid = self.roster.bid(agent);
            assert!(
                bid.is_some_and(|bid| bid.hint == contact && !bid.slow),
                "{contact} is covered by no bid of {agent}"
            );
        }
        let ring_all = self.settings.strategy == Strategy::RingAll;
        for (agent, contact) in self.roster.standing_bids() {
            let covered = self.line.covered_by(contact) == Some(agent);
            assert!(ring_all != covered, "{agent} stands for {contact}");
        }
        assert!(
            self.burials.len() >= self.left.len(),
            "a grave is forgotten"
        );
        self.check_nobody_idles();
    }

    /// No agent with room stands beside a contact that fits and for which no bid runs.
    fn check_nobody_idles(&self) {
        if self.hold.is_some() || self.closed || self.settings.strategy == Strategy::ManualPick {
            return;
        }
        let idle = self.agents().filter(|a| a.free);
        for idle in idle.filter(|a| self.roster.bid(a.agent).is_none()) {
            let waits = self.line.in_order().find(|entry| {
                let needs = entry.needs_now();
                entry.asks()
                    && self.line.is_open(entry)
                    && entry.fits(idle.agent)
                    && self.settings.skill_match.allows(needs, &idle.skills)
                    && self.line.covered_by(entry.contact).is_none()
            });
            let waits = waits.map(|entry| entry.contact);
            assert_eq!(waits, None, "waits beside {}, who is free", idle.agent);
        }
    }
}
