//! What an operator may want, and what would move.

use centro_cluster::{
    Shard,
    lease::{Look, Session, Token, candidates, place},
};
use centro_kernel::{Code, Fault};
use std::{collections::BTreeMap, sync::Arc};

/// The role whose processes own shards.
pub const OWNING: &str = "routing";

/// What is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish<'a> {
    /// The shard is to be at the process.
    Move(u32, &'a str),
    /// The shard is to be where it would be without.
    Unpin(u32),
    /// The process is to do nothing new.
    Drain(&'a str),
    /// The process may work again.
    Resume(&'a str),
}

/// A wish that can be fulfilled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Shards that go to another process.
    pub moves: BTreeMap<Shard, Arc<str>>,
    /// The shard that it is about, if it is about one.
    pub shard: Option<Shard>,
}

/// What would move if the wish were fulfilled.
///
/// # Errors
/// It cannot be: `shard_unknown`, `shard_already_there`, `shard_not_pinned`, `node_unknown`, `node_role_missing`,
/// `node_draining`, `node_last` or `node_not_drained`.
pub fn plan(look: &Look, wish: Wish<'_>) -> Result<Plan, Fault> {
    let mut then = look.clone();
    let mut of_one = None;
    match wish {
        Wish::Move(shard, node) => {
            let shard = shard_of(shard)?;
            let there = session(look, node)?;
            if !runs(there) {
                return Err(refusal(
                    "node_role_missing",
                    format_args!("{node} does not run {OWNING}"),
                )
                .with("node", node));
            }
            if there.draining || look.aside.contains(&there.name) {
                return Err(draining(node));
            }
            if owner(look, shard).is_some_and(|owner| owner.name == there.name) {
                let text = format_args!("shard {} is at {node} already", shard.index());
                return Err(refusal("shard_already_there", text).with("node", node));
            }
            then.moves.insert(shard, node.to_owned());
            of_one = Some(shard);
        }
        Wish::Unpin(shard) => {
            let shard = shard_of(shard)?;
            if then.moves.remove(&shard).is_none() {
                let text = format_args!("shard {} was not moved by hand", shard.index());
                return Err(refusal("shard_not_pinned", text));
            }
            of_one = Some(shard);
        }
        Wish::Drain(node) => {
            let there = session(look, node)?;
            if there.draining || !then.aside.insert(there.name.clone()) {
                return Err(draining(node));
            }
            let others = (look.sessions.iter())
                .filter(|s| runs(s) && s.ready && !s.draining && !then.aside.contains(&s.name));
            if runs(there) && others.count() == 0 {
                let text = format_args!(
                    "nobody but {node} could own shards: start another process of the role {OWNING} first"
                );
                return Err(refusal("node_last", text).with("node", node));
            }
        }
        Wish::Resume(node) => {
            if !then.aside.remove(node) {
                session(look, node)?;
                return Err(
                    refusal("node_not_drained", format_args!("{node} was not drained"))
                        .with("node", node),
                );
            }
        }
    }
    let moves = places(&then)
        .filter(|(shard, to)| owner(look, *shard).is_none_or(|owner| owner.name != *to))
        .filter(|(shard, _)| of_one.is_none_or(|one| one == *shard));
    Ok(Plan {
        moves: moves.collect(),
        shard: of_one,
    })
}

/// Where each shard belongs.
fn places(look: &Look) -> impl Iterator<Item = (Shard, Arc<str>)> {
    let able = candidates(look.sessions.iter(), OWNING, &look.aside);
    let places = Shard::all().zip(place(&able, &look.moves));
    let placed = places.filter_map(|(shard, there)| Some((shard, there?.name.clone())));
    placed.collect::<Vec<_>>().into_iter()
}

/// Who owns the shard, if that one lives.
pub fn owner(look: &Look, shard: Shard) -> Option<&Session> {
    let token = token(look, shard)?;
    look.sessions.iter().find(|s| s.nonce == token.nonce)
}

/// What is written of the shard's owner.
pub fn token(look: &Look, shard: Shard) -> Option<Token> {
    Token::read(look.owners.get(shard.index())?)
}

fn runs(session: &Session) -> bool {
    session.roles.iter().any(|role| **role == *OWNING)
}

fn shard_of(number: u32) -> Result<Shard, Fault> {
    let known = Shard::all().find(|shard| shard.index() == number as usize);
    known.ok_or_else(|| {
        let text = format_args!("there is no shard {number}: they are numbered from 0 to 255");
        Fault::new(Code::NotFound, "shard_unknown", text)
    })
}

fn session<'a>(look: &'a Look, node: &str) -> Result<&'a Session, Fault> {
    let known = look.sessions.iter().find(|s| *s.name == *node);
    known.ok_or_else(|| {
        let mut names: Vec<_> = look.sessions.iter().map(|s| &*s.name).collect();
        names.sort_unstable();
        let text = format_args!(
            "no process named {node} is there; there are {}",
            names.join(", ")
        );
        Fault::new(Code::NotFound, "node_unknown", text)
    })
}

fn draining(node: &str) -> Fault {
    refusal(
        "node_draining",
        format_args!("{node} is drained, or about to end"),
    )
    .with("node", node)
}

fn refusal(reason: &'static str, text: std::fmt::Arguments<'_>) -> Fault {
    Fault::new(Code::Conflict, reason, text)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn session(name: &str, role: &str) -> Session {
        Session {
            name: Arc::from(name),
            nonce: Arc::from(format!("{name}|1")),
            roles: vec![Arc::from(role)],
            address: Arc::from(format!("{name}:7000")),
            ready: true,
            draining: false,
            work: 0,
            since: 1_000,
        }
    }

    /// Two routing processes with their shares, and an office.
    pub fn settled() -> Look {
        let sessions = vec![
            session("office", "gateway"),
            session("a", OWNING),
            session("b", OWNING),
        ];
        let mut look = Look {
            time: 5_000,
            sessions,
            ..Look::default()
        };
        let there: BTreeMap<_, _> = places(&look).collect();
        look.owners = Shard::all()
            .map(|shard| format!("7|{}|1", there[&shard]))
            .collect();
        look
    }

    fn at(look: &Look, name: &str) -> Shard {
        let there = |shard: &Shard| owner(look, *shard).is_some_and(|s| *s.name == *name);
        Shard::all().find(there).unwrap()
    }

    fn number(shard: Shard) -> u32 {
        u32::try_from(shard.index()).unwrap()
    }

    #[test]
    fn a_move_moves_one_shard_and_its_undoing_moves_it_back() {
        let mut look = settled();
        let shard = at(&look, "a");
        let moved = plan(&look, Wish::Move(number(shard), "b")).unwrap();
        assert_eq!(moved.moves, BTreeMap::from([(shard, Arc::from("b"))]));
        look.moves.insert(shard, "b".to_owned());
        look.owners[shard.index()] = "8|b|1".to_owned();
        let back = plan(&look, Wish::Unpin(number(shard))).unwrap();
        assert_eq!(back.moves, BTreeMap::from([(shard, Arc::from("a"))]));
    }

    #[test]
    fn a_drained_process_gives_its_share_and_gets_it_back() {
        let mut look = settled();
        let share = Shard::all()
            .filter(|s| owner(&look, *s).is_some_and(|s| *s.name == *"b"))
            .count();
        let drain = plan(&look, Wish::Drain("b")).unwrap();
        assert!(drain.moves.len() == share && drain.moves.values().all(|to| **to == *"a"));
        assert_eq!(
            plan(&look, Wish::Drain("office")).unwrap().moves,
            BTreeMap::new()
        );
        look.aside.insert(Arc::from("b"));
        look.owners = Shard::all().map(|_| "9|a|1".to_owned()).collect();
        assert_eq!(plan(&look, Wish::Resume("b")).unwrap().moves.len(), share);
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let mut look = settled();
        let of_a = number(at(&look, "a"));
        let reason = |look: &Look, wish| plan(look, wish).unwrap_err().reason;
        assert_eq!(reason(&look, Wish::Move(256, "a")), "shard_unknown");
        assert_eq!(reason(&look, Wish::Unpin(256)), "shard_unknown");
        assert_eq!(reason(&look, Wish::Move(0, "nobody")), "node_unknown");
        assert_eq!(reason(&look, Wish::Move(0, "office")), "node_role_missing");
        assert_eq!(reason(&look, Wish::Move(of_a, "a")), "shard_already_there");
        assert_eq!(reason(&look, Wish::Unpin(of_a)), "shard_not_pinned");
        assert_eq!(reason(&look, Wish::Resume("a")), "node_not_drained");
        assert_eq!(reason(&look, Wish::Resume("nobody")), "node_unknown");
        look.aside.insert(Arc::from("b"));
        assert_eq!(reason(&look, Wish::Move(of_a, "b")), "node_draining");
        assert_eq!(reason(&look, Wish::Drain("b")), "node_draining");
        assert_eq!(reason(&look, Wish::Drain("a")), "node_last");
    }
}
