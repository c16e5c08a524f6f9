//! What a node says to the table of one lease.

/// What a node asks for, and gives back, of one window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub window: u32,
    pub max: u64,
    /// The row may be missing: it is made with so much granted, or raised to it.
    pub floor: Option<u64>,
    pub back: u64,
    /// What calls wait for.
    pub need: u64,
    /// What would be used within two seconds.
    pub ahead: u64,
    /// Given back of older parts of a rolling window, or of what was leased of credits before their last refill.
    pub late: Vec<(u32, u64)>,
    /// Of a rolling window, instead of the floor: what was counted alone of each part.
    pub counted: Vec<(u32, u64)>,
}

/// What the table gives to a request when so much was granted before: as `store::ask` does it, for the tests and the reader.
#[cfg(test)]
pub const fn given(granted: u64, request: &Request, share: u64) -> u64 {
    let left = request.max.saturating_sub(granted.saturating_sub(request.back));
    let ahead = if request.ahead < left / share { request.ahead } else { left / share };
    let wanted = if request.need > ahead { request.need } else { ahead };
    if wanted < left { wanted } else { left }
}
