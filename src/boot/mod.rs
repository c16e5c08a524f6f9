//! Start-up: the only place that knows every feature.
