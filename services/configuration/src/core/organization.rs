//! Settings of a whole tenant: what is set when nothing is said (spec S60b).

use centro_proto::configuration::OrganizationSettings;

/// Fills in what was left out.
pub fn with_defaults(mut settings: OrganizationSettings) -> OrganizationSettings {
    settings.allow_unassigned_log_in.get_or_insert(false);
    settings
}
