//! The rows. An object's message is kept whole; what must be unique or looked for stands beside it.

/// An object of the configuration.
pub mod object {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "objects")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub tenant: String,
        /// A `store::Kind`.
        pub kind: i16,
        /// The name as it is compared, where names are unique in the tenant.
        pub name_key: Option<String>,
        /// What is unique in the installation: `tel:…`, `sip:…`.
        pub claim: Option<String>,
        /// The queue of a queue agent.
        pub queue_id: Option<String>,
        /// The person of a queue agent, a skill or a device.
        pub user_id: Option<String>,
        /// The skill that a person has.
        pub skill_id: Option<String>,
        /// The encoded message, without secrets.
        pub body: Vec<u8>,
        pub ha1_md5: Option<String>,
        pub ha1_sha256: Option<String>,
        /// The installation's version of the last write.
        pub version: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Who has which extension.
pub mod extension {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "extensions")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub tenant: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub extension: String,
        pub object_id: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Which object leads to which: a dial plan to its queues, a number to its dial plan, a
/// person's skill to the skill.
pub mod link {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "links")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub from_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub to_id: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// The installation's version: one row. Each writing transaction takes it first, so writers take turns and versions
/// are committed in their order.
pub mod version {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "version")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i32,
        pub last: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
