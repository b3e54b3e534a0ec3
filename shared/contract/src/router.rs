//! Finds the route of a URL: a trie over path segments. Literals win over `*`, `*` over `**`.

use crate::template::{Segment, Template};
use http::Method as Verb;
use percent_encoding::percent_decode_str;
use std::{collections::HashMap, sync::Arc};

/// What a verb and a path lead to.
#[derive(Debug)]
pub enum Found<T> {
    /// A route, and the decoded values in the order of [`Template::captures`].
    Route(Arc<T>, Vec<String>),
    /// The path exists, but answers these verbs only.
    Verbs(Vec<Verb>),
    /// No such path.
    Nothing,
    /// The path is not UTF-8 after unescaping.
    BadEscape,
}

/// All routes.
#[derive(Debug)]
pub struct Router<T> {
    root: Node<T>,
}

#[derive(Debug)]
struct Node<T> {
    literals: HashMap<String, Node<T>>,
    one: Option<Box<Node<T>>>,
    rest: Vec<Leaf<T>>,
    here: Vec<Leaf<T>>,
}

#[derive(Debug)]
struct Leaf<T> {
    verb: Verb,
    template: Template,
    value: Arc<T>,
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Self {
            literals: HashMap::new(),
            one: None,
            rest: vec![],
            here: vec![],
        }
    }
}

impl<T> Default for Router<T> {
    fn default() -> Self {
        Self {
            root: Node::default(),
        }
    }
}

impl<T> Router<T> {
    /// Binds a template.
    ///
    /// # Errors
    /// When the same verb and shape is already bound: two RPCs would answer one URL.
    pub fn add(&mut self, verb: Verb, template: &Template, value: Arc<T>) -> Result<(), String> {
        let mut node = &mut self.root;
        let mut rest = false;
        for segment in &template.segments {
            node = match segment {
                Segment::Literal(text) => node.literals.entry(text.clone()).or_default(),
                Segment::One => node.one.get_or_insert_default(),
                Segment::Rest => {
                    rest = true;
                    break;
                }
            };
        }
        let leaves = if rest { &mut node.rest } else { &mut node.here };
        if let Some(other) = leaves
            .iter()
            .find(|leaf| leaf.verb == verb && leaf.template.action == template.action)
        {
            return Err(format!(
                "{verb} {} is already taken by {}",
                template.source, other.template.source
            ));
        }
        leaves.push(Leaf {
            verb,
            template: template.clone(),
            value,
        });
        Ok(())
    }

    /// `path` is the raw, still escaped path.
    pub fn find(&self, verb: &Verb, path: &str) -> Found<T> {
        let Some(path) = path.strip_prefix('/') else {
            return Found::Nothing;
        };
        let mut verbs = vec![];
        // `x:restore` is an action first, a plain segment second.
        let split = path
            .rsplit_once(':')
            .filter(|(_, action)| !action.contains('/'));
        for (path, action) in split
            .map(|(path, action)| (path, Some(action)))
            .into_iter()
            .chain([(path, None)])
        {
            let segments: Option<Vec<String>> = path
                .split('/')
                .map(|s| {
                    percent_decode_str(s)
                        .decode_utf8()
                        .ok()
                        .map(|s| s.into_owned())
                })
                .collect();
            let Some(segments) = segments else {
                return Found::BadEscape;
            };
            if let Some(leaf) = walk(&self.root, &segments, verb, action, &mut verbs) {
                let captured = leaf
                    .template
                    .captures
                    .iter()
                    .map(|c| segments[c.from..c.to.unwrap_or(segments.len())].join("/"))
                    .collect();
                return Found::Route(leaf.value.clone(), captured);
            }
            if !verbs.is_empty() {
                break;
            }
        }
        if verbs.is_empty() {
            return Found::Nothing;
        }
        verbs.sort_by_key(Verb::to_string);
        verbs.dedup();
        Found::Verbs(verbs)
    }
}

fn walk<'a, T>(
    node: &'a Node<T>,
    left: &[String],
    verb: &Verb,
    action: Option<&str>,
    verbs: &mut Vec<Verb>,
) -> Option<&'a Leaf<T>> {
    let mut pick = |leaves: &'a [Leaf<T>]| {
        let mut fitting = leaves
            .iter()
            .filter(|leaf| leaf.template.action.as_deref() == action);
        verbs.extend(fitting.clone().map(|leaf| leaf.verb.clone()));
        fitting.find(|leaf| leaf.verb == *verb)
    };
    let Some((first, more)) = left.split_first() else {
        return pick(&node.here);
    };
    let rest = pick(&node.rest);
    if first.is_empty() {
        return rest;
    }
    node.literals
        .get(first)
        .and_then(|next| walk(next, more, verb, action, verbs))
        .or_else(|| {
            node.one
                .as_ref()
                .and_then(|next| walk(next, more, verb, action, verbs))
        })
        .or(rest)
}
