//! The roster's indexes against a plain recomputation.

use super::*;

impl Roster {
    pub(in crate::queue) fn check(&self) {
        let mut groups = BTreeMap::<_, (usize, FewMap<_, _>)>::new();
        let mut standing = [0; Standing::COUNT];
        for member in self.members.iter() {
            let Presence {
                agent,
                free,
                skills,
                ..
            } = &member.presence;
            let (members, turns) = groups.entry(skills.clone()).or_default();
            *members += 1;
            standing[member.presence.standing as usize] += 1;
            assert_eq!(member.bidden, self.bids.contains_key(agent), "{agent}");
            let turn = self.strategy.turn(self.queue, &member.presence);
            if *free && !member.bidden {
                turns.insert(turn, member.presence.standing);
            }
            assert_eq!(self.by_skills.get(skills), Some(&member.group), "{agent}");
            assert!(!self.departed.contains_key(agent), "{agent} came back");
        }
        let free: usize = groups.values().map(|(_, turns)| turns.len()).sum();
        assert_eq!(self.free, free, "free agents");
        let known = self.groups();
        let known = known.map(|g| (g.skills.clone(), (g.members, g.free.clone())));
        assert_eq!(known.collect::<BTreeMap<_, _>>(), groups);
        assert_eq!(self.by_skills.len(), groups.len());
        assert_eq!(self.standing, standing);
        let bids = self.bids().map(|(agent, bid)| {
            let member = self.member(agent).expect("a bid for a member");
            assert!(member.free && member.ver == bid.ver, "a dead bid: {bid:?}");
            (bid.due, QueueTimer::Bid(agent))
        });
        let pick_ups = self.pick_ups.iter().map(|((agent, contact), asked)| {
            assert_eq!(asked.pick_up.contact, *contact);
            (asked.due, QueueTimer::PickUp(*contact, *agent))
        });
        assert_eq!(self.timers, bids.chain(pick_ups).collect());
        assert!(self.departures.len() >= self.departed.len());
    }
}
