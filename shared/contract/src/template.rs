//! `google.api.http` path templates, e.g. `/v1/call-queues/{call_queue.id}:restore`.

use prost_reflect::{FieldDescriptor, MessageDescriptor};

/// One part between slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// This text.
    Literal(String),
    /// `*`: any one segment.
    One,
    /// `**`: all that is left.
    Rest,
}

/// A field bound to the segments `from..to`; without `to` it takes all that is left.
#[derive(Debug, Clone)]
pub struct Capture {
    /// The field, from the request downwards.
    pub path: Vec<FieldDescriptor>,
    /// First segment.
    pub from: usize,
    /// One past the last segment.
    pub to: Option<usize>,
}

impl Capture {
    /// The variable's public name: the last part of the field path, in JSON spelling.
    pub fn name(&self) -> String {
        self.path
            .last()
            .map(|field| field.json_name().to_owned())
            .unwrap_or_default()
    }
}

/// A parsed template.
#[derive(Debug, Clone)]
pub struct Template {
    /// As written in the proto.
    pub source: String,
    /// What a path must look like.
    pub segments: Vec<Segment>,
    /// What it fills.
    pub captures: Vec<Capture>,
    /// The custom verb after the colon.
    pub action: Option<String>,
}

impl Template {
    /// Reads a template whose variables are fields of `input`.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the template.
    pub fn parse(source: &str, input: &MessageDescriptor) -> Result<Self, String> {
        let rest = source.strip_prefix('/').ok_or("a path starts with /")?;
        let (path, action) = match rest.rfind(':') {
            Some(at) if !rest[at..].contains(['/', '}']) => {
                (&rest[..at], Some(rest[at + 1..].to_owned()))
            }
            _ => (rest, None),
        };
        let mut template = Self {
            source: source.to_owned(),
            segments: vec![],
            captures: vec![],
            action,
        };
        let mut left = path;
        while !left.is_empty() {
            let end = if left.starts_with('{') {
                left.find('}').ok_or("unclosed {")? + 1
            } else {
                left.find('/').unwrap_or(left.len())
            };
            let (part, after) = left.split_at(end);
            left = match after.strip_prefix('/') {
                Some(next) if !next.is_empty() => next,
                None if after.is_empty() => after,
                _ => return Err(format!("bad segment after {part}")),
            };
            match part
                .strip_prefix('{')
                .and_then(|part| part.strip_suffix('}'))
            {
                None => template.push(part)?,
                Some(variable) => template.capture(variable, input)?,
            }
        }
        Ok(template)
    }

    fn capture(&mut self, variable: &str, input: &MessageDescriptor) -> Result<(), String> {
        let (name, pattern) = variable.split_once('=').unwrap_or((variable, "*"));
        let from = self.segments.len();
        for part in pattern.split('/') {
            self.push(part)?;
        }
        let to = (self.segments.last() != Some(&Segment::Rest)).then_some(self.segments.len());
        self.captures.push(Capture {
            path: resolve(input, name)?,
            from,
            to,
        });
        Ok(())
    }

    fn push(&mut self, part: &str) -> Result<(), String> {
        if self.segments.last() == Some(&Segment::Rest) {
            return Err("** must come last".into());
        }
        self.segments.push(match part {
            "" => return Err("empty segment".into()),
            "*" => Segment::One,
            "**" => Segment::Rest,
            text => Segment::Literal(text.to_owned()),
        });
        Ok(())
    }
}

fn resolve(input: &MessageDescriptor, path: &str) -> Result<Vec<FieldDescriptor>, String> {
    let mut message = Some(input.clone());
    path.split('.')
        .map(|name| {
            let field = message
                .take()
                .and_then(|message| message.get_field_by_name(name))
                .ok_or(format!("no field {path}"))?;
            message = field.kind().as_message().cloned();
            Ok(field)
        })
        .collect()
}
