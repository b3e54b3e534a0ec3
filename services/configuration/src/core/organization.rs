//! Settings of a whole tenant: what is set when nothing is said (spec S60b), and which time zones there are.

use centro_kernel::{Code, Fault};
use centro_proto::configuration::OrganizationSettings;

/// Fills in what was left out.
pub fn with_defaults(mut settings: OrganizationSettings) -> OrganizationSettings {
    settings.allow_unassigned_log_in.get_or_insert(false);
    let zone = settings.time_zone.get_or_insert_default();
    if zone.is_empty() {
        "UTC".clone_into(zone);
    }
    settings
}

/// Writes the time zone as the IANA database does, which knows it in any case.
///
/// # Errors
/// `time_zone_unknown` at `/timeZone`.
pub fn with_known_zone(mut settings: OrganizationSettings) -> Result<OrganizationSettings, Fault> {
    let known = jiff::tz::TimeZone::get(settings.time_zone().trim()).ok();
    let unknown = || {
        let text = "write a time zone of the IANA database, e.g. Europe/Rome";
        Fault::new(Code::Invalid, "time_zone_unknown", text).at("/timeZone")
    };
    let known = known.ok_or_else(unknown)?;
    settings.time_zone = Some(known.iana_name().ok_or_else(unknown)?.to_owned());
    Ok(settings)
}
