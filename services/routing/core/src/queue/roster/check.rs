//! The roster's indexes against a plain recomputation.

use super::*;

impl Roster {
    pub(in crate::queue) fn check(&self) {
        let mut free = BTreeMap::<_, BTreeSet<_>>::new();
        let (mut skilled, mut standing) = (BTreeMap::new(), BTreeMap::new());
        for (agent, member) in &self.members {
            *skilled.entry(member.skills.clone()).or_default() += 1;
            *standing.entry(member.standing).or_default() += 1;
            if member.free && !self.bids.contains_key(agent) {
                let turn = self.strategy.turn(self.queue, member);
                free.entry(member.skills.clone()).or_default().insert(turn);
            }
            assert!(!self.departed.contains_key(agent), "{agent} came back");
        }
        assert_eq!(self.free, free, "free agents");
        assert_eq!(self.skilled, skilled);
        assert_eq!(self.standing, standing);
        let bids = self.bids.iter().map(|(agent, bid)| {
            let member = &self.members[agent];
            assert!(member.free && member.ver == bid.ver, "a dead bid: {bid:?}");
            (bid.due, QueueTimer::Bid(*agent))
        });
        let pick_ups = self.pick_ups.iter().map(|((agent, contact), asked)| {
            assert_eq!(asked.pick_up.contact, *contact);
            (asked.due, QueueTimer::PickUp(*contact, *agent))
        });
        assert_eq!(self.timers, bids.chain(pick_ups).collect());
        assert!(self.departures.len() >= self.departed.len());
    }
}
