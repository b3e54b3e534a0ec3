//! Reasons in one sentence, in English and Italian, as people at the floor say them.

use centro_kernel::{SkillId, Timestamp};
use centro_routing_core::{
    Comparison, Medium, Need, Rest, Strategy,
    reason::{Decision, Hindrance, Verdict, VerdictKind, WhyIdle, WhyWaiting},
};
use std::{collections::BTreeMap, fmt::Write, time::Duration};

/// Whom a sentence is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Italian.
    Italian,
}

/// What a skill is called; nothing for one that is gone.
pub type Names<'a> = &'a dyn Fn(SkillId) -> Option<String>;

impl Language {
    const fn say(self, english: &'static str, italian: &'static str) -> &'static str {
        match self {
            Self::English => english,
            Self::Italian => italian,
        }
    }

    /// Why this agent got the contact.
    pub fn decision(self, decision: &Decision, names: Names<'_>) -> String {
        if decision.picked_up {
            let text = self.say(
                "Taken out of turn by this person.",
                "Preso fuori turno da questa persona.",
            );
            return text.to_owned();
        }
        let free = decision.candidates.iter().filter(|c| {
            matches!(
                c.verdict,
                Verdict::Chosen | Verdict::LaterInTurn | Verdict::Declined
            )
        });
        let mut text = match free.count() {
            0 | 1 => self
                .say(
                    "The only free agent who fits",
                    "L’unico agente disponibile e adatto",
                )
                .to_owned(),
            n => {
                let by = self.strategy(decision.strategy);
                match self {
                    Self::English => format!("Chosen of {n} free agents who fit: {by}"),
                    Self::Italian => format!("Scelto fra {n} agenti disponibili e adatti: {by}"),
                }
            }
        };
        if !decision.needs.is_empty() {
            let needs = self.needs(&decision.needs, names);
            let _ = match self {
                Self::English => write!(text, "; needed: {needs}"),
                Self::Italian => write!(text, "; richiesto: {needs}"),
            };
        }
        let mut counts: BTreeMap<VerdictKind, u32> = BTreeMap::new();
        for candidate in decision.candidates.iter().skip(1) {
            *counts.entry(candidate.verdict.kind()).or_default() += 1;
        }
        counts.remove(&VerdictKind::LaterInTurn);
        self.add_counts(&mut text, "; ", &counts);
        text.push('.');
        text
    }

    /// Why a contact still waits.
    pub fn waiting(self, why: &WhyWaiting, now: Timestamp, names: Names<'_>) -> String {
        let mut text = match (self, why.logged_in) {
            (Self::English, 0) => "Nobody is logged in".to_owned(),
            (Self::English, 1) => "1 agent is logged in".to_owned(),
            (Self::English, n) => format!("{n} agents are logged in"),
            (Self::Italian, 0) => "Nessuno è connesso".to_owned(),
            (Self::Italian, 1) => "1 agente è connesso".to_owned(),
            (Self::Italian, n) => format!("{n} agenti sono connessi"),
        };
        self.add_counts(&mut text, ": ", &why.counts);
        if !why.needs.is_empty() {
            let needs = self.needs(&why.needs, names);
            let _ = match self {
                Self::English => write!(text, "; needs {needs}"),
                Self::Italian => write!(text, "; richiede {needs}"),
            };
        }
        let mut add = |at: Option<Timestamp>, english: &str, italian: &str| {
            if let Some(at) = at {
                let span = span(at.since(now));
                let _ = match self {
                    Self::English => write!(text, "; {english} {span}"),
                    Self::Italian => write!(text, "; {italian} {span}"),
                };
            }
        };
        add(why.relaxes_at, "asks for less in", "chiede meno fra");
        add(why.retries_at, "offered again in", "di nuovo offerto fra");
        if why.wish.is_some() {
            text += self.say(
                "; being moved by a person",
                "; in spostamento da una persona",
            );
        }
        if why.holding || why.detached {
            text += self.say(
                "; its queue is changing its process",
                "; la coda sta cambiando processo",
            );
        }
        text.push('.');
        text
    }

    /// Why an agent gets no contact.
    pub fn idle(self, hindrances: &[Hindrance], queues: &[WhyIdle], now: Timestamp) -> String {
        if !hindrances.is_empty() {
            let all: Vec<_> = hindrances.iter().map(|h| self.hindrance(h, now)).collect();
            let mut text = all.join("; ");
            text.push('.');
            return capital(text);
        }
        let sum = |count: fn(&WhyIdle) -> u32| queues.iter().map(count).sum::<u32>();
        let waiting = sum(|q| q.waiting);
        if waiting == 0 {
            let text = self.say(
                "Ready, and nobody waits in the agent’s queues.",
                "Disponibile, e nessuno è in attesa nelle sue code.",
            );
            return text.to_owned();
        }
        let mut text = match self {
            Self::English if waiting == 1 => "Ready; 1 waits in the agent’s queues".to_owned(),
            Self::English => format!("Ready; {waiting} wait in the agent’s queues"),
            Self::Italian => format!("Disponibile; {waiting} in attesa nelle sue code"),
        };
        for (count, one, several) in [
            (
                sum(|q| q.unskilled),
                self.say("needs other skills", "richiede altre competenze"),
                self.say("need other skills", "richiedono altre competenze"),
            ),
            (
                sum(|q| q.not_open),
                self.say("rings elsewhere or pauses", "squilla altrove o è in pausa"),
                self.say(
                    "ring elsewhere or pause",
                    "squillano altrove o sono in pausa",
                ),
            ),
            (
                sum(|q| q.excluded),
                self.say(
                    "is not for this agent now",
                    "per ora non è per questo agente",
                ),
                self.say(
                    "are not for this agent now",
                    "per ora non sono per questo agente",
                ),
            ),
        ] {
            if count > 0 {
                let what = if count == 1 { one } else { several };
                let _ = write!(text, ", {count} {what}");
            }
        }
        if queues.iter().any(|q| q.could_serve.is_some()) {
            text += self.say("; one can come", "; uno può arrivare");
        }
        text.push('.');
        text
    }

    const fn strategy(self, strategy: Strategy) -> &'static str {
        let (english, italian) = match strategy {
            Strategy::RingAll => ("all ring at once", "squillano tutti insieme"),
            Strategy::RoundRobin => ("next in the round", "il prossimo del giro"),
            Strategy::LeastRecent => (
                "received the last contact longest ago",
                "ha ricevuto l’ultimo contatto da più tempo",
            ),
            Strategy::LongestIdle => ("idle longest", "disponibile da più tempo"),
            Strategy::FewestCalls => (
                "had the fewest contacts since log-in",
                "ha avuto meno contatti dalla connessione",
            ),
            Strategy::LeastTalkTime => (
                "talked least since log-in",
                "ha parlato di meno dalla connessione",
            ),
            Strategy::Random => ("drawn by lot", "estratto a sorte"),
            Strategy::Linear => ("first in the fixed order", "il primo nell’ordine fisso"),
            Strategy::SkillsBest => ("best skills", "competenze migliori"),
            Strategy::Balanced => ("fewest open conversations", "meno conversazioni aperte"),
            Strategy::FillFirst => (
                "most open conversations with room for one more",
                "più conversazioni aperte con ancora posto",
            ),
            Strategy::ManualPick => ("picked by the agent", "scelto dall’agente"),
        };
        self.say(english, italian)
    }

    /// What is said of one agent, or of several.
    const fn verdict(self, verdict: VerdictKind, one: bool) -> &'static str {
        let (english, italian, italians) = match verdict {
            VerdictKind::Chosen => ("chosen", "scelto", "scelti"),
            VerdictKind::LaterInTurn => ("free", "disponibile", "disponibili"),
            // Declined, or did not answer.
            VerdictKind::Declined => (
                "asked in vain before",
                "già chiamato invano",
                "già chiamati invano",
            ),
            VerdictKind::AskedForAnother => (
                "asked for another",
                "chiamato per un altro",
                "chiamati per un altro",
            ),
            VerdictKind::RingsForIt => (
                "ringing for it",
                "squilla per questo",
                "squillano per questo",
            ),
            VerdictKind::Excluded => ("not asked for now", "per ora escluso", "per ora esclusi"),
            VerdictKind::Unskilled => (
                "without the skills",
                "senza le competenze",
                "senza le competenze",
            ),
            VerdictKind::InContact => ("in contact", "in contatto", "in contatto"),
            VerdictKind::WrapUp => ("in wrap-up", "in finalizzazione", "in finalizzazione"),
            VerdictKind::Paused => ("paused", "in pausa", "in pausa"),
            VerdictKind::NotResponding => ("not responding", "non risponde", "non rispondono"),
            VerdictKind::Unreachable => ("unreachable", "non raggiungibile", "non raggiungibili"),
            VerdictKind::NoRoom => (
                "resting or with all contacts allowed",
                "a riposo o al completo",
                "a riposo o al completo",
            ),
        };
        self.say(english, if one { italian } else { italians })
    }

    fn add_counts(self, text: &mut String, first: &str, counts: &BTreeMap<VerdictKind, u32>) {
        for (n, (verdict, count)) in counts.iter().enumerate() {
            let before = if n == 0 { first } else { ", " };
            let _ = write!(
                text,
                "{before}{count} {}",
                self.verdict(*verdict, *count == 1)
            );
        }
    }

    fn needs(self, needs: &[Need], names: Names<'_>) -> String {
        let all = needs.iter().map(|need| {
            let name = names(need.skill);
            let name = name.unwrap_or_else(|| self.say("a skill", "una competenza").to_owned());
            let sign = match need.comparison {
                Comparison::AtLeast => "≥",
                Comparison::AtMost => "≤",
                Comparison::Equal => "=",
                Comparison::MoreThan => ">",
                Comparison::LessThan => "<",
            };
            format!("{name} {sign} {}", need.level)
        });
        all.collect::<Vec<_>>().join(", ")
    }

    fn hindrance(self, hindrance: &Hindrance, now: Timestamp) -> String {
        let text = match hindrance {
            Hindrance::LoggedOut => self.say("logged out", "non connesso"),
            Hindrance::Paused(reason) | Hindrance::PausedIn(_, reason) => {
                let here = matches!(hindrance, Hindrance::PausedIn(..));
                let paused = match here {
                    true => self.say("paused in one queue", "in pausa in una coda"),
                    false => self.say("paused", "in pausa"),
                };
                return if reason.is_empty() {
                    paused.to_owned()
                } else {
                    format!("{paused} ({reason})")
                };
            }
            Hindrance::NotResponding => self.say(
                "missed too many offers; choose Ready to go on",
                "ha perso troppe offerte; scegli Disponibile per continuare",
            ),
            Hindrance::NotRespondingIn(_) => self.say(
                "missed too many offers of one queue",
                "ha perso troppe offerte di una coda",
            ),
            Hindrance::Rests(until, why) => {
                let left = span(until.since(now));
                let why = match why {
                    Rest::Unreachable => {
                        self.say("the phone could not be reached", "telefono non raggiunto")
                    }
                    Rest::Rejected => self.say("declined an offer", "ha rifiutato un’offerta"),
                    Rest::Busy => self.say("the phone was busy", "telefono occupato"),
                    Rest::NoAnswer => self.say("did not answer", "non ha risposto"),
                };
                return match self {
                    Self::English => format!("{why}; asked again in {left}"),
                    Self::Italian => format!("{why}; di nuovo fra {left}"),
                };
            }
            Hindrance::PhoneOffline => {
                self.say("the phone is not connected", "il telefono non è collegato")
            }
            Hindrance::DesktopGone => self.say(
                "the desktop gives no sign of life",
                "la postazione non dà segni di vita",
            ),
            Hindrance::Full(Medium::Voice) => self.say(
                "in contact or in wrap-up",
                "in contatto o in finalizzazione",
            ),
            Hindrance::Full(Medium::Chat) => self.say(
                "as many conversations as allowed",
                "tante conversazioni quante consentite",
            ),
        };
        text.to_owned()
    }
}

fn span(left: Duration) -> String {
    let seconds = left.as_secs();
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

fn capital(text: String) -> String {
    let mut rest = text.chars();
    match rest.next() {
        Some(first) => first.to_uppercase().collect::<String>() + rest.as_str(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use centro_kernel::UserId;
    use centro_routing_core::{SkillMatch, reason::Candidate, settings::Standing};

    const FRENCH: SkillId = SkillId::from_u128(1);

    fn names(_: SkillId) -> Option<String> {
        Some("French".to_owned())
    }

    fn candidate(n: u128, verdict: Verdict) -> Candidate {
        Candidate {
            agent: UserId::from_u128(n),
            verdict,
            score: 0,
            key: 0,
            idle_since: Timestamp::default(),
        }
    }

    fn decision(candidates: Vec<Candidate>, needs: Vec<Need>) -> Decision {
        Decision {
            version: 3,
            strategy: Strategy::LongestIdle,
            skill_match: SkillMatch::AllRequired,
            needs,
            picked_up: false,
            candidates,
            others: 0,
        }
    }

    #[test]
    fn a_choice_says_of_how_many_by_what_and_who_could_not() {
        let need = Need {
            skill: FRENCH,
            comparison: Comparison::AtLeast,
            level: 5,
        };
        let chosen = decision(
            vec![
                candidate(1, Verdict::Chosen),
                candidate(2, Verdict::LaterInTurn),
                candidate(3, Verdict::Busy(Standing::WrapUp)),
                candidate(4, Verdict::Unskilled(vec![need].into())),
            ],
            vec![need],
        );
        assert_eq!(
            Language::English.decision(&chosen, &names),
            "Chosen of 2 free agents who fit: idle longest; needed: French ≥ 5; 1 without the skills, 1 in wrap-up."
        );
        assert_eq!(
            Language::Italian.decision(
                &decision(vec![candidate(1, Verdict::Chosen)], vec![]),
                &names
            ),
            "L’unico agente disponibile e adatto."
        );
    }

    #[test]
    fn a_wait_says_who_is_here_and_when_less_is_asked_for() {
        let why = WhyWaiting {
            position: 1,
            needs: vec![],
            step: 1,
            relaxes_at: Some(Timestamp::from_millis(41_000)),
            retries_at: None,
            detached: false,
            holding: false,
            wish: None,
            rings_at: vec![],
            logged_in: 3,
            counts: BTreeMap::from([(VerdictKind::WrapUp, 2), (VerdictKind::Unskilled, 1)]),
            candidates: vec![],
        };
        assert_eq!(
            Language::English.waiting(&why, Timestamp::default(), &names),
            "3 agents are logged in: 1 without the skills, 2 in wrap-up; asks for less in 41 s."
        );
        assert_eq!(
            Language::Italian.waiting(&why, Timestamp::default(), &names),
            "3 agenti sono connessi: 1 senza le competenze, 2 in finalizzazione; chiede meno fra 41 s."
        );
    }

    #[test]
    fn one_is_told_of_as_one_and_who_did_not_answer_has_not_declined() {
        let why = |count| WhyWaiting {
            position: 1,
            needs: vec![],
            step: 0,
            relaxes_at: None,
            retries_at: None,
            detached: false,
            holding: false,
            wish: None,
            rings_at: vec![],
            logged_in: count,
            counts: BTreeMap::from([(VerdictKind::Declined, count)]),
            candidates: vec![],
        };
        let now = Timestamp::default();
        let said = |language: Language, count| language.waiting(&why(count), now, &names);
        assert_eq!(
            said(Language::English, 1),
            "1 agent is logged in: 1 asked in vain before."
        );
        assert_eq!(
            said(Language::Italian, 1),
            "1 agente è connesso: 1 già chiamato invano."
        );
        assert_eq!(
            said(Language::Italian, 2),
            "2 agenti sono connessi: 2 già chiamati invano."
        );
        let idle = WhyIdle {
            waiting: 1,
            could_serve: None,
            unskilled: 0,
            not_open: 0,
            excluded: 1,
            holding: false,
            manual: false,
        };
        let told = |language: Language| language.idle(&[], std::slice::from_ref(&idle), now);
        assert_eq!(
            told(Language::English),
            "Ready; 1 waits in the agent’s queues, 1 is not for this agent now."
        );
        assert_eq!(
            told(Language::Italian),
            "Disponibile; 1 in attesa nelle sue code, 1 per ora non è per questo agente."
        );
    }

    #[test]
    fn an_idle_agent_hears_what_is_in_the_way_or_that_nobody_waits() {
        let now = Timestamp::default();
        let paused = [
            Hindrance::Paused("Lunch".to_owned()),
            Hindrance::PhoneOffline,
        ];
        assert_eq!(
            Language::English.idle(&paused, &[], now),
            "Paused (Lunch); the phone is not connected."
        );
        assert_eq!(
            Language::Italian.idle(&[], &[], now),
            "Disponibile, e nessuno è in attesa nelle sue code."
        );
    }
}
