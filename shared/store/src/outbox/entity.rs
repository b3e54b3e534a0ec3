//! The rows: events that wait, and the last number given out per tenant.

pub mod outbox {
    use centro_bus::Event;
    use centro_kernel::Timestamp;
    use sea_orm::{Set, entity::prelude::*};

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "outbox")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub event_id: String,
        pub tenant: Option<String>,
        pub kind: String,
        pub subject: String,
        pub time_ms: i64,
        pub sequence: i64,
        pub traceparent: Option<String>,
        pub data_type: String,
        pub data: Vec<u8>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}

    impl ActiveModel {
        pub fn of(event: &Event, sequence: i64) -> Self {
            Self {
                event_id: Set(event.id.to_string()),
                tenant: Set(event.tenant.map(|tenant| tenant.to_string())),
                kind: Set(event.kind.clone()),
                subject: Set(event.subject.clone()),
                time_ms: Set(event.time.as_millis()),
                sequence: Set(sequence),
                traceparent: Set(event.traceparent.clone()),
                data_type: Set(event.data_type.clone()),
                data: Set(event.data.to_vec()),
                ..Default::default()
            }
        }
    }

    impl Model {
        /// The event, unless somebody wrote ids by hand that are none.
        pub fn into_event(self) -> Option<Event> {
            let tenant = match self.tenant {
                Some(text) => Some(text.parse().ok()?),
                None => None,
            };
            Some(Event {
                id: self.event_id.parse().ok()?,
                tenant,
                kind: self.kind,
                subject: self.subject,
                time: Timestamp::from_millis(self.time_ms),
                sequence: u64::try_from(self.sequence).ok()?,
                contact_sequence: 0,
                traceparent: self.traceparent,
                data_type: self.data_type,
                data: self.data.into(),
            })
        }
    }
}

pub mod sequence {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "outbox_sequence")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant: String,
        pub last: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
