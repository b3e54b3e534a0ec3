//! The rows.

/// One stay of a contact in a queue.
pub mod stay {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "stay")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub contact_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub ordinal: i32,
        pub tenant: String,
        pub queue_id: String,
        pub caller_number: String,
        pub caller_name: String,
        pub dialled: String,
        pub enqueue_ms: Option<i64>,
        pub connect_ms: Option<i64>,
        pub leave_ms: Option<i64>,
        /// `centro.types.v1.LeftReason`.
        pub left_reason: Option<i32>,
        pub wait_ms: Option<i64>,
        /// When the outcome was decided; null while the contact waits.
        pub settled_ms: Option<i64>,
        pub end_ms: Option<i64>,
        /// `centro.types.v1.EndedBy`.
        pub ended_by: Option<i32>,
        pub agent_id: Option<String>,
        pub talk_ms: i64,
        pub hold_ms: i64,
        pub wrap_up_ms: i64,
        pub ring_ms: i64,
        pub offers: i32,
        pub missed: i32,
        pub recording_id: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// An offer of a contact to an agent, and the reasons for it. The queue tells of the offer and the agent of the bids;
/// whichever comes first makes the row.
pub mod decision {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "decision")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub agent_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub reservation: i64,
        pub tenant: String,
        pub at_ms: i64,
        /// Null until the offer is told.
        pub contact_id: Option<String>,
        /// Null until the offer is told.
        pub queue_id: Option<String>,
        /// The encoded `centro.types.v1.Decision`; null until the offer is told.
        pub decision: Option<Vec<u8>>,
        /// The encoded `centro.events.v1.BidsCompared`; null when no bids were compared.
        pub bids: Option<Vec<u8>>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A stretch of an agent's time in one state.
pub mod agent_interval {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "agent_interval")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub agent_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub start_ms: i64,
        pub tenant: String,
        /// `centro.types.v1.AgentState`.
        pub state: i32,
        pub pause_reason: String,
        /// Ready, but the phone could not be rung.
        pub unreachable: bool,
        pub end_ms: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What a queue promises.
pub mod queue_targets {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "queue_targets")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub queue_id: String,
        pub tenant: String,
        pub version: i64,
        pub within_ms: i64,
        pub short_abandon_ms: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// An event that live figures are made of.
pub mod journal {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "journal")]
    pub struct Model {
        /// Grows with each event heard.
        #[sea_orm(primary_key)]
        pub place: i64,
        pub tenant: String,
        pub kind: String,
        pub at_ms: i64,
        pub data: Vec<u8>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Until when the process is known to have lived (row 1), since when the journal is complete (row 2), and how many turns writers
/// have taken (row 3).
pub mod watermark {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "watermark")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i32,
        pub at_ms: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
