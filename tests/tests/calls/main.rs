//! Calls through a whole centre, with telephones that are not ours (sipp, baresip). A test is named after the row of the
//! specification or of the peers' bugs that it proves.

mod answered;
mod briefing;
mod burst;
mod drain;
mod exits;
mod feature_codes;
mod hold;
mod hostile;
mod nat;
mod pause;
mod prompts;
mod report;
mod restart;
mod ringing;
mod simple_dial;
mod trunks;
mod waiting;
