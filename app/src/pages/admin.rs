//! Pages for unit admins.

pub(crate) mod deliveries;
