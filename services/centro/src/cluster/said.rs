//! A cluster in words, for people.

use centro_proto::routing::{ClusterStatus, HandOver, MemberState};
use std::{fmt::Write as _, time::Duration};

/// What a hand-over was about.
pub enum About {
    Moved(u32),
    Unpinned(u32),
    Drained(String),
    Resumed(String),
}

/// Members, shards and what waits.
pub fn status(status: &ClusterStatus, with_shards: bool) -> String {
    let now = status.as_of.as_ref().map_or(0, |time| time.seconds);
    let mut rows = vec![
        [
            "node", "roles", "address", "state", "since", "shards", "calls",
        ]
        .map(str::to_owned),
    ];
    for member in &status.members {
        let since = member.since.as_ref().map_or(now, |time| time.seconds);
        rows.push([
            member.node.clone(),
            member.roles.join(","),
            member.address.clone(),
            state(member.state()).to_owned(),
            age(now.saturating_sub(since)),
            member.shards.to_string(),
            member.calls.to_string(),
        ]);
    }
    let mut text = table(&rows);
    let all = status.shards.len();
    let owned = all.saturating_sub(usize::try_from(status.unowned).unwrap_or(all));
    let _ = writeln!(
        text,
        "\n{owned} of {all} shards have an owner; the highest epoch is {}",
        status.epoch
    );
    if with_shards {
        for member in status.members.iter().filter(|member| member.shards > 0) {
            let owned = status
                .shards
                .iter()
                .filter(|shard| shard.node == member.node);
            let _ = writeln!(
                text,
                "{}: {}",
                member.node,
                ranges(owned.map(|shard| shard.shard))
            );
        }
    }
    let nobodys = status.shards.iter().filter(|shard| shard.node.is_empty());
    let nobodys = ranges(nobodys.map(|shard| shard.shard));
    if !nobodys.is_empty() {
        let _ = writeln!(text, "without an owner: {nobodys}");
    }
    for shard in status
        .shards
        .iter()
        .filter(|shard| !shard.pinned_to.is_empty())
    {
        let there = if shard.pinned_to == shard.node {
            ""
        } else {
            ", which is not there or drained"
        };
        let _ = writeln!(
            text,
            "shard {} is pinned to {}{there}",
            shard.shard, shard.pinned_to
        );
    }
    for node in &status.drained_absent {
        let _ = writeln!(
            text,
            "{node} was drained and is not there; it will get nothing until it is resumed"
        );
    }
    if let Some(outbox) = &status.outbox {
        let oldest = outbox
            .oldest
            .map(|age| format!(", the oldest for {}", millis(&age)));
        let _ = writeln!(
            text,
            "{} events wait to be published{}",
            outbox.events,
            oldest.unwrap_or_default()
        );
    }
    text
}

/// How a hand-over went.
pub fn handed_over(done: &HandOver, about: &About) -> String {
    let mut text = match about {
        About::Moved(shard) => format!(
            "shard {shard} is at {} now, and stays there until `centro cluster unpin {shard}`\n",
            somebody(&done.node)
        ),
        About::Unpinned(shard) => format!(
            "shard {shard} is no longer pinned, and at {}\n",
            somebody(&done.node)
        ),
        About::Drained(node) => format!(
            "{node} is drained: {} shards moved, {} calls go on there; it gets nothing new until `centro cluster resume {node}`\n",
            done.shards, done.calls
        ),
        About::Resumed(node) => format!("{node} works again: {} shards moved\n", done.shards),
    };
    if done.shards_open > 0 {
        let _ = writeln!(
            text,
            "{} shards have not moved yet; look at `centro cluster status`",
            done.shards_open
        );
    }
    let _ = writeln!(
        text,
        "contacts   {} before, {} after, {} served or left meanwhile, {} lost",
        done.contacts_before, done.contacts_after, done.contacts_left, done.contacts_lost
    );
    let places = if done.positions_unchanged {
        "unchanged"
    } else {
        "CHANGED"
    };
    let _ = writeln!(text, "positions  {places}");
    match &done.longest_pause {
        Some(pause) => {
            let _ = writeln!(
                text,
                "pause      {}, the longest in which nobody owned a shard",
                millis(pause)
            );
        }
        None if done.shards > 0 => {
            text.push_str("pause      not known: a shard was taken from a process that is dead\n")
        }
        None => {}
    }
    if let Some(took) = &done.took {
        let _ = writeln!(
            text,
            "attached   {} of {} contacts, {} after the order",
            done.contacts_attached,
            done.contacts_after,
            millis(took)
        );
    }
    text
}

fn somebody(node: &str) -> &str {
    if node.is_empty() { "nobody" } else { node }
}

const fn state(state: MemberState) -> &'static str {
    match state {
        MemberState::Unspecified => "",
        MemberState::Joining => "joining",
        MemberState::Active => "active",
        MemberState::Drained => "drained",
        MemberState::Leaving => "leaving",
    }
}

/// Columns as wide as their widest cell.
fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let wide = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<_> = (0..N)
        .map(|column| wide(column).unwrap_or_default())
        .collect();
    let mut text = String::new();
    for row in rows {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// 1, 2, 3, 7 → `1-3 7`.
fn ranges(numbers: impl Iterator<Item = u32>) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for n in numbers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == n => *last = n,
            _ => ranges.push((n, n)),
        }
    }
    let said = ranges.into_iter().map(|(first, last)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}-{last}")
        }
    });
    said.collect::<Vec<_>>().join(" ")
}

fn age(seconds: i64) -> String {
    match seconds {
        ..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

fn millis(duration: &prost_types::Duration) -> String {
    let duration = Duration::try_from(*duration).unwrap_or_default();
    if duration < Duration::from_secs(10) {
        format!("{} ms", duration.as_millis())
    } else {
        age(i64::try_from(duration.as_secs()).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use centro_proto::routing::{ClusterMember, OutboxStatus, ShardStatus};

    #[test]
    fn numbers_are_told_in_ranges() {
        assert_eq!(ranges([0, 1, 2, 7, 9, 10].into_iter()), "0-2 7 9-10");
        assert_eq!(ranges(std::iter::empty()), "");
    }

    #[test]
    fn what_is_out_of_order_is_named() {
        let shard = |shard, node: &str, pinned: &str| ShardStatus {
            shard,
            node: node.into(),
            epoch: 9,
            pinned_to: pinned.into(),
        };
        let member = ClusterMember {
            node: "a".into(),
            roles: vec!["routing".into()],
            state: MemberState::Active.into(),
            shards: 1,
            ..ClusterMember::default()
        };
        let all = ClusterStatus {
            members: vec![member],
            shards: vec![shard(0, "a", "b"), shard(1, "", "")],
            unowned: 1,
            epoch: 9,
            outbox: Some(OutboxStatus::default()),
            drained_absent: vec!["b".into()],
            ..ClusterStatus::default()
        };
        let text = status(&all, true);
        for part in [
            "a     routing           active  0 s    1       0",
            "1 of 2 shards have an owner",
            "without an owner: 1",
            "shard 0 is pinned to b, which is not there",
            "b was drained and is not there",
            "0 events wait",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }

    #[test]
    fn a_hand_over_says_what_became_of_those_who_waited() {
        let done = HandOver {
            shards: 1,
            contacts_before: 50,
            contacts_after: 49,
            contacts_left: 1,
            contacts_attached: 49,
            positions_unchanged: true,
            longest_pause: Some(prost_types::Duration {
                seconds: 0,
                nanos: 132_000_000,
            }),
            node: "b".into(),
            ..HandOver::default()
        };
        let text = handed_over(&done, &About::Moved(17));
        assert!(text.contains("until `centro cluster unpin 17`"), "{text}");
        assert!(
            text.contains("50 before, 49 after, 1 served or left meanwhile, 0 lost"),
            "{text}"
        );
        assert!(
            text.contains("unchanged") && text.contains("132 ms"),
            "{text}"
        );
    }
}
