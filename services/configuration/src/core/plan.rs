//! Dial plans: nodes joined by exits. An exit that leads nowhere ends the call (spec S16); one that leads to a node that
//! is not there is a mistake.

use super::{extension, invalid, queue::duration};
use centro_kernel::{Fault, name};
use centro_proto::configuration::{DialPlan, DialPlanNode, dial_plan_node::Kind};
use std::collections::BTreeSet;

/// Most nodes of a plan.
pub const MAX_NODES: usize = 200;
/// Longest id of a node.
const MAX_NODE_ID: usize = 64;

/// Spoken clips that are shipped with the centre, without the numbers: `number_1` to `number_20`.
pub const CLIPS: [&str; 17] = [
    "welcome",
    "queue_position",
    "queue_in_line",
    "queue_many",
    "queue_next",
    "queue_full",
    "no_agents",
    "timeout",
    "goodbye",
    "not_in_service",
    "done",
    "refused",
    "wait_moment",
    "wait_minute",
    "wait_some",
    "wait_minutes",
    "wait_long",
];
/// The greatest number that is spoken.
pub const SPOKEN: u32 = 20;

/// Whether the clip is shipped.
pub fn clip_exists(name: &str) -> bool {
    let number = || name.strip_prefix("number_")?.parse::<u32>().ok();
    CLIPS.contains(&name)
        || number().is_some_and(|n| (1..=SPOKEN).contains(&n) && name == format!("number_{n}"))
}

/// The shipped clips, for people.
pub fn known_clips() -> String {
    format!("{}, number_1 to number_{SPOKEN}", CLIPS.join(", "))
}

/// The queues that a plan leads to.
pub fn queues(plan: &DialPlan) -> BTreeSet<&str> {
    plan.nodes
        .iter()
        .filter_map(|node| match &node.kind {
            Some(Kind::Queue(queue)) => Some(queue.queue_id.as_str()),
            _ => None,
        })
        .filter(|id| !id.is_empty())
        .collect()
}

/// Checks a plan and trims its name. `queue_exists` says whether the tenant has a queue.
///
/// # Errors
/// Those of names and extensions, `node_count_out_of_range`, `node_id_bad_format`, `node_duplicate`,
/// `node_kind_missing`, `entry_unknown`, `node_exit_unknown`, `queue_not_selected`, `clip_not_selected`,
/// `clip_unknown`, `duration_out_of_range`.
pub fn check(plan: &mut DialPlan, queue_exists: impl Fn(&str) -> bool) -> Result<(), Fault> {
    plan.display_name = name::check(&plan.display_name)?;
    if !plan.extension.is_empty() {
        extension::check(&plan.extension)?;
    }
    if plan.nodes.is_empty() || plan.nodes.len() > MAX_NODES {
        let message = "a dial plan has 1 to 200 nodes";
        return Err(invalid("node_count_out_of_range", message, "/nodes").with("max", MAX_NODES));
    }
    let ids = node_ids(&plan.nodes)?;
    if !ids.contains(plan.entry.as_str()) {
        let message = "the first node of the plan is not there";
        return Err(invalid("entry_unknown", message, "/entry"));
    }
    for (index, node) in plan.nodes.iter().enumerate() {
        check_node(node, &format!("/nodes/{index}"), &ids, &queue_exists)?;
    }
    Ok(())
}

fn node_ids(nodes: &[DialPlanNode]) -> Result<BTreeSet<&str>, Fault> {
    let mut ids = BTreeSet::new();
    for (index, node) in nodes.iter().enumerate() {
        let field = format!("/nodes/{index}/id");
        if node.id.is_empty() || node.id.chars().count() > MAX_NODE_ID {
            return Err(invalid(
                "node_id_bad_format",
                "a node's id has 1 to 64 characters",
                &field,
            ));
        }
        if !ids.insert(node.id.as_str()) {
            let message = format_args!("two nodes have the id {}", node.id);
            return Err(invalid("node_duplicate", message, &field).with("node", &node.id));
        }
    }
    Ok(ids)
}

fn check_node(
    node: &DialPlanNode,
    field: &str,
    ids: &BTreeSet<&str>,
    queue_exists: impl Fn(&str) -> bool,
) -> Result<(), Fault> {
    let exit = |name: &str, target: &str| {
        if target.is_empty() || ids.contains(target) {
            return Ok(());
        }
        let message = format_args!(
            "node {} leads to {target}, which is not in the plan",
            node.id
        );
        Err(
            invalid("node_exit_unknown", message, &format!("{field}/{name}"))
                .with("node", &node.id)
                .with("exit", target),
        )
    };
    match &node.kind {
        None => Err(invalid(
            "node_kind_missing",
            format_args!("say what node {} does", node.id),
            field,
        )
        .with("node", &node.id)),
        Some(Kind::PlayClip(clip)) => {
            if clip.clip.trim().is_empty() {
                let message = format_args!("choose the clip that node {} plays", node.id);
                let field = format!("{field}/playClip/clip");
                return Err(invalid("clip_not_selected", message, &field).with("node", &node.id));
            }
            if !clip_exists(&clip.clip) {
                let known = known_clips();
                let message = format_args!(
                    "there is no clip {}, which node {} plays; there are {known}",
                    clip.clip, node.id
                );
                let field = format!("{field}/playClip/clip");
                return Err(invalid("clip_unknown", message, &field)
                    .with("node", &node.id)
                    .with("known", known));
            }
            exit("playClip/onDone", &clip.on_done)
        }
        Some(Kind::Queue(queue)) => {
            if !queue_exists(&queue.queue_id) {
                let message = format_args!("choose the queue of node {}", node.id);
                let field = format!("{field}/queue/queueId");
                return Err(invalid("queue_not_selected", message, &field).with("node", &node.id));
            }
            duration(
                queue.timeout.as_ref(),
                1,
                86_400,
                &format!("{field}/queue/timeout"),
            )?;
            exit("queue/onTimeout", &queue.on_timeout)?;
            exit("queue/onExit", &queue.on_exit)?;
            exit("queue/onFull", &queue.on_full)?;
            exit("queue/onEmpty", &queue.on_empty)?;
            exit("queue/onNoMatch", &queue.on_no_match)
        }
        Some(Kind::SimpleDial(dial)) => {
            if !extension::well_formed(&dial.extension) {
                let field = format!("{field}/simpleDial/extension");
                return Err(invalid(
                    "extension_bad_format",
                    "an extension has 3 to 6 digits",
                    &field,
                ));
            }
            duration(
                dial.timeout.as_ref(),
                1,
                900,
                &format!("{field}/simpleDial/timeout"),
            )?;
            exit("simpleDial/onNoAnswer", &dial.on_no_answer)
        }
        Some(Kind::HangUp(_)) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use centro_proto::configuration::{HangUpNode, PlayClipNode, QueueNode, SimpleDialNode};

    fn node(id: &str, kind: Kind) -> DialPlanNode {
        DialPlanNode {
            id: id.to_owned(),
            kind: Some(kind),
        }
    }

    fn plan() -> DialPlan {
        DialPlan {
            display_name: " Main ".to_owned(),
            entry: "hello".to_owned(),
            nodes: vec![
                node(
                    "hello",
                    Kind::PlayClip(PlayClipNode {
                        clip: "welcome".to_owned(),
                        on_done: "sales".to_owned(),
                        ..Default::default()
                    }),
                ),
                node(
                    "sales",
                    Kind::Queue(QueueNode {
                        queue_id: "que_1".to_owned(),
                        on_timeout: "desk".to_owned(),
                        on_exit: "bye".to_owned(),
                        ..Default::default()
                    }),
                ),
                node(
                    "desk",
                    Kind::SimpleDial(SimpleDialNode {
                        extension: "101".to_owned(),
                        ..Default::default()
                    }),
                ),
                node("bye", Kind::HangUp(HangUpNode {})),
            ],
            ..Default::default()
        }
    }

    fn reason(change: impl FnOnce(&mut DialPlan)) -> &'static str {
        let mut plan = plan();
        change(&mut plan);
        check(&mut plan, |id| id == "que_1").unwrap_err().reason
    }

    #[test]
    fn a_plan_with_unconnected_exits_is_fine() {
        let mut plan = plan();
        assert_eq!(check(&mut plan, |id| id == "que_1"), Ok(()));
        assert_eq!(plan.display_name, "Main");
        assert_eq!(queues(&plan).into_iter().collect::<Vec<_>>(), ["que_1"]);
    }

    #[test]
    fn each_mistake_has_its_own_code() {
        assert_eq!(reason(|p| p.nodes.clear()), "node_count_out_of_range");
        assert_eq!(
            reason(|p| p.nodes[3].id = "hello".to_owned()),
            "node_duplicate"
        );
        assert_eq!(reason(|p| p.nodes[3].id.clear()), "node_id_bad_format");
        assert_eq!(reason(|p| p.nodes[3].kind = None), "node_kind_missing");
        assert_eq!(reason(|p| p.entry = "nowhere".to_owned()), "entry_unknown");
        assert_eq!(
            reason(|p| {
                p.nodes.remove(3);
            }),
            "node_exit_unknown"
        );
        let queue = |p: &mut DialPlan, id: &str| {
            p.nodes[1].kind = Some(Kind::Queue(QueueNode {
                queue_id: id.to_owned(),
                ..Default::default()
            }));
        };
        assert_eq!(reason(|p| queue(p, "")), "queue_not_selected");
        assert_eq!(reason(|p| queue(p, "que_2")), "queue_not_selected");
        assert_eq!(
            reason(|p| p.nodes[0].kind = Some(Kind::PlayClip(PlayClipNode::default()))),
            "clip_not_selected"
        );
        let clip = |p: &mut DialPlan, name: &str| {
            p.nodes[0].kind = Some(Kind::PlayClip(PlayClipNode {
                clip: name.to_owned(),
                ..Default::default()
            }));
        };
        for unknown in ["welcom", "music", "number_0", "number_21", "number_01"] {
            assert_eq!(reason(|p| clip(p, unknown)), "clip_unknown", "{unknown}");
        }
        assert_eq!(
            reason(|p| p.extension = "1".to_owned()),
            "extension_bad_format"
        );
    }

    #[test]
    fn an_unknown_clip_is_answered_with_the_known_ones() {
        let mut plan = plan();
        plan.nodes[0].kind = Some(Kind::PlayClip(PlayClipNode {
            clip: "hello".to_owned(),
            ..Default::default()
        }));
        let fault = check(&mut plan, |_| true).unwrap_err();
        assert_eq!(fault.field, "/nodes/0/playClip/clip");
        assert!(fault.message.contains("welcome") && fault.meta["known"].contains("goodbye"));
    }

    #[test]
    fn the_fault_points_at_the_exit() {
        let mut plan = plan();
        plan.nodes.remove(2);
        let fault = check(&mut plan, |_| true).unwrap_err();
        assert_eq!(fault.field, "/nodes/1/queue/onTimeout");
        assert_eq!(fault.meta["exit"], "desk");
    }

    #[test]
    fn every_exit_of_a_queue_must_lead_to_a_node_of_the_plan() {
        type Set = fn(&mut QueueNode);
        let exits: [(&str, Set); 5] = [
            ("onTimeout", |q| q.on_timeout = "gone".to_owned()),
            ("onExit", |q| q.on_exit = "gone".to_owned()),
            ("onFull", |q| q.on_full = "gone".to_owned()),
            ("onEmpty", |q| q.on_empty = "gone".to_owned()),
            ("onNoMatch", |q| q.on_no_match = "gone".to_owned()),
        ];
        for (exit, set) in exits {
            let mut plan = plan();
            let Some(Kind::Queue(queue)) = &mut plan.nodes[1].kind else {
                panic!("the second node is the queue")
            };
            set(queue);
            let fault = check(&mut plan, |_| true).unwrap_err();
            assert_eq!(fault.reason, "node_exit_unknown");
            assert_eq!(fault.field, format!("/nodes/1/queue/{exit}"));
        }
    }
}
