//! Characters that nobody sees: what has one of them is not what it looks like.

/// True if it takes no room, or turns the direction of writing. Some are needed between letters (in Persian, in emoji), none in an address.
pub const fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// True if nobody sees it even where nothing else stands: those, and letters, marks and spaces that fill a place and are drawn as nothing.
pub const fn is_blank(c: char) -> bool {
    is_unseen(c)
        || matches!(c, '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{2800}' | '\u{3164}')
        || matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// True if what stands after it is written the other way, also outside of the text that holds it (Unicode UAX #9).
pub const fn turns_writing(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
