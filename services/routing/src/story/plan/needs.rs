//! What a caller needs, as it is written: `french >= 5 and sales >= 2 for 30s`.

use super::{Read, Reader};
use crate::story::text::Span;
use centro_routing_core::{Comparison, Need, Needs, Step, skills::MOST_STEPS};
use serde::{
    Deserialize,
    de::{IntoDeserializer, value::StrDeserializer},
};

impl Reader {
    /// Needs, step by step.
    pub(super) fn needs(&self, steps: &[String]) -> Read<Needs> {
        if steps.len() > MOST_STEPS {
            return self.wrong("needs have at most 10 steps");
        }
        let steps = steps.iter().map(|step| self.step_of_needs(step));
        Ok(Needs {
            steps: steps.collect::<Read<_>>()?,
        })
    }

    fn step_of_needs(&self, text: &str) -> Read<Step> {
        let (needs, lasts) = match text.split_once(" for ") {
            None => (text, None),
            Some((needs, lasts)) => (needs, Some(self.length(lasts)?)),
        };
        let needs = needs.split(" and ").map(|need| self.need(need));
        Ok(Step {
            needs: needs.collect::<Read<_>>()?,
            lasts,
        })
    }

    fn length(&self, text: &str) -> Read<std::time::Duration> {
        let from: StrDeserializer<'_, serde::de::value::Error> = text.trim().into_deserializer();
        match Span::deserialize(from) {
            Ok(span) => Ok(span.0),
            Err(error) => self.wrong(error.to_string()),
        }
    }

    fn need(&self, text: &str) -> Read<Need> {
        let words: Vec<_> = text.split_whitespace().collect();
        let [skill, comparison, level] = words[..] else {
            return self.wrong(format!(
                "`{text}` is no need: write `french >= 5`, with spaces"
            ));
        };
        let comparison = match comparison {
            ">=" => Comparison::AtLeast,
            "<=" => Comparison::AtMost,
            "=" => Comparison::Equal,
            ">" => Comparison::MoreThan,
            "<" => Comparison::LessThan,
            other => {
                return self.wrong(format!(
                    "`{other}` compares nothing: write >=, <=, =, > or <"
                ));
            }
        };
        let level = match level.parse::<u8>() {
            Ok(level) if (1..=10).contains(&level) => level,
            _ => return self.wrong(format!("`{level}` is no level: they go from 1 to 10")),
        };
        Ok(Need {
            skill: self.skill(skill)?,
            comparison,
            level,
        })
    }
}
