//! A cluster as its table says that it is.

use super::plan::{owner, token};
use crate::wire;
use centro_cluster::{Shard, lease::Look};
use centro_kernel::Timestamp;
use centro_proto::routing::{ClusterMember, ClusterStatus, MemberState, OutboxStatus, ShardStatus};
use std::time::Duration;

/// Members, shards and pins; `outbox` is how many events wait, and since when the oldest of them.
pub fn status(look: &Look, outbox: (u64, Option<u64>)) -> ClusterStatus {
    let mut sessions: Vec<_> = look.sessions.iter().collect();
    sessions.sort_by_key(|session| &session.name);
    let shards: Vec<_> = Shard::all()
        .map(|shard| shard_status(look, shard))
        .collect();
    let members = sessions.into_iter().map(|session| {
        let owned = shards.iter().filter(|shard| shard.node == *session.name);
        let aside = look.aside.contains(&session.name);
        let state = match (session.draining, aside, session.ready) {
            (true, ..) => MemberState::Leaving,
            (false, true, _) => MemberState::Drained,
            (false, false, true) => MemberState::Active,
            (false, false, false) => MemberState::Joining,
        };
        ClusterMember {
            node: session.name.to_string(),
            roles: session.roles.iter().map(ToString::to_string).collect(),
            address: session.address.to_string(),
            since: Some(time(session.since)),
            shards: u32::try_from(owned.count()).unwrap_or(u32::MAX),
            calls: session.work,
            state: state.into(),
        }
    });
    let absent = (look.aside.iter())
        .filter(|name| !look.sessions.iter().any(|session| session.name == **name));
    let unowned = shards.iter().filter(|shard| shard.node.is_empty()).count();
    let (events, oldest) = outbox;
    let age = oldest.map(|at| Duration::from_millis(look.time.saturating_sub(at)));
    ClusterStatus {
        members: members.collect(),
        unowned: u32::try_from(unowned).unwrap_or(u32::MAX),
        epoch: shards
            .iter()
            .map(|shard| shard.epoch)
            .max()
            .unwrap_or_default(),
        outbox: Some(OutboxStatus {
            events: u32::try_from(events).unwrap_or(u32::MAX),
            oldest: age.map(wire::span),
        }),
        drained_absent: absent.map(ToString::to_string).collect(),
        as_of: Some(time(look.time)),
        shards,
    }
}

fn shard_status(look: &Look, shard: Shard) -> ShardStatus {
    let node = owner(look, shard).map(|owner| owner.name.to_string());
    ShardStatus {
        shard: u32::try_from(shard.index()).unwrap_or(u32::MAX),
        node: node.unwrap_or_default(),
        epoch: token(look, shard).map_or(0, |token| token.epoch.0),
        pinned_to: look.moves.get(&shard).cloned().unwrap_or_default(),
    }
}

fn time(millis: u64) -> prost_types::Timestamp {
    wire::time(Timestamp::from_millis(
        i64::try_from(millis).unwrap_or(i64::MAX),
    ))
}

#[cfg(test)]
mod tests {
    use super::{super::plan::tests::settled, *};
    use std::sync::Arc;

    #[test]
    fn each_member_has_its_state_and_its_shards() {
        let mut look = settled();
        look.aside.extend([Arc::from("b"), Arc::from("gone")]);
        look.sessions[1].draining = true;
        look.owners[3] = "12|nobody|1".to_owned();
        look.moves.insert(Shard::of(4), "gone".to_owned());
        let status = status(&look, (3, Some(4_000)));
        let states: Vec<_> = status
            .members
            .iter()
            .map(|m| (m.node.as_str(), m.state()))
            .collect();
        let wanted = [
            ("a", MemberState::Leaving),
            ("b", MemberState::Drained),
            ("office", MemberState::Active),
        ];
        assert_eq!(states, wanted);
        assert_eq!(status.members.iter().map(|m| m.shards).sum::<u32>(), 255);
        assert_eq!((status.unowned, status.epoch), (1, 12));
        assert_eq!(status.drained_absent, ["gone"]);
        assert_eq!(status.shards[4].pinned_to, "gone");
        let outbox = status.outbox.unwrap();
        assert_eq!((outbox.events, outbox.oldest.unwrap().seconds), (3, 1));
    }
}
