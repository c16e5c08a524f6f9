//! A picture drawn anew: what somebody sent is decoded within strict limits, its middle cut out as a square, and written again as JPEG at
//! two sizes. Nothing else of the file comes through: no metadata, no second format behind the first (ASVS 5.2.1–5.2.6).
//!
//! No I/O and no async: the caller runs it on a blocking thread. What a decoder panics on is the caller's to catch.

use image::{
    DynamicImage, ExtendedColorType, GenericImageView, ImageDecoder, ImageError, ImageResult, Limits, Rgb, Rgba,
    codecs::{
        jpeg::{JpegDecoder, JpegEncoder},
        png::PngDecoder,
        webp::WebPDecoder,
    },
    imageops::{self, FilterType},
};
use std::io::Cursor;

/// The sides of the two squares, in pixels: for lists, and for pages about one person.
pub const SMALL: u32 = 64;
pub const LARGE: u32 = 256;

/// The most pixels that are decoded: what a camera of 24 megapixels makes.
const MOST_PIXELS: u64 = 24_000_000;
/// The most bytes that the decoded picture may take: four for each of them.
const MOST_DECODED: u64 = 4 * MOST_PIXELS;
/// The most that a decoder may take besides, for what stands around the pixels.
const MOST_BESIDE: u64 = 32 * 1024 * 1024;

/// Of 100; a face of 256 pixels is then about 15 kB.
const QUALITY: u8 = 85;

/// A picture as it is kept: JPEG, nothing but pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    pub small: Vec<u8>,
    pub large: Vec<u8>,
}

/// Why a file becomes no picture, in the words that stand beside its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    #[error("Choose a picture.")]
    Empty,
    #[error("We can't read this file. Choose a PNG, JPEG or WebP.")]
    NoPicture,
    #[error("This file is a {0}, but its name ends differently. Rename it, or choose another one.")]
    Misnamed(&'static str),
    #[error("Animated pictures are not supported. Choose another one.")]
    Moves,
    #[error("This picture is too large. It can have at most 24 million pixels. Make it smaller and try again.")]
    TooManyPixels,
    #[error("We can't read this picture. The file is broken or incomplete. Choose another one.")]
    Broken,
}

/// What a file is, by its first bytes; whatever it is called (ASVS 5.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Png,
    Jpeg,
    Webp,
}

impl Kind {
    fn of(file: &[u8]) -> Option<Self> {
        match file {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::Webp),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::Webp => "WebP",
        }
    }

    /// Whether a file of this kind may be called so. A name without an end says nothing, so nothing wrong.
    fn may_be_called(self, name: &str) -> bool {
        let Some((_, end)) = name.rsplit_once('.') else { return true };
        let ends: &[&str] = match self {
            Self::Png => &["png"],
            Self::Jpeg => &["jpg", "jpeg", "jpe", "jfif"],
            Self::Webp => &["webp"],
        };
        ends.iter().any(|one| end.eq_ignore_ascii_case(one))
    }
}

/// Draws the picture in a file anew. The name is only compared with what the file is.
pub fn draw(file: &[u8], name: &str) -> Result<Drawn, Flaw> {
    if file.is_empty() {
        return Err(Flaw::Empty);
    }
    let kind = Kind::of(file).ok_or(Flaw::NoPicture)?;
    if !kind.may_be_called(name) {
        return Err(Flaw::Misnamed(kind.name()));
    }
    let mut decoder = decoder(kind, file)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS || decoder.total_bytes() > MOST_DECODED {
        return Err(Flaw::TooManyPixels);
    }
    let orientation = decoder.orientation().map_err(flaw)?;
    let picture = DynamicImage::from_decoder(decoder).map_err(flaw)?;
    // Turned when it is small: the middle of a turned picture is its middle, turned.
    let mut large = DynamicImage::ImageRgb8(shrunk(&Square::in_the_middle_of(&picture).ok_or(Flaw::Broken)?));
    large.apply_orientation(orientation);
    let small = large.resize_exact(SMALL, SMALL, FilterType::CatmullRom);
    Ok(Drawn { small: jpeg(&small)?, large: jpeg(&large)? })
}

/// The decoder of a file that has been looked at: it stands still, it is whole as far as that can be told, and nothing of it is decoded yet.
fn decoder(kind: Kind, file: &[u8]) -> Result<Box<dyn ImageDecoder + '_>, Flaw> {
    let reader = Cursor::new(file);
    Ok(match kind {
        Kind::Png => {
            let mut limits = Limits::no_limits();
            limits.max_alloc = Some(MOST_DECODED + MOST_BESIDE);
            let png = PngDecoder::with_limits(reader, limits).map_err(flaw)?;
            if png.is_apng().map_err(flaw)? {
                return Err(Flaw::Moves);
            }
            Box::new(png)
        }
        Kind::Jpeg if !is_whole_jpeg(file) => return Err(Flaw::Broken),
        Kind::Jpeg => Box::new(JpegDecoder::new(reader).map_err(flaw)?),
        // Its decoder makes room for what a chunk says it holds, before it reads it.
        Kind::Webp if !is_whole_webp(file) => return Err(Flaw::Broken),
        Kind::Webp => {
            let webp = WebPDecoder::new(reader).map_err(flaw)?;
            if webp.has_animation() {
                return Err(Flaw::Moves);
            }
            Box::new(webp)
        }
    })
}

/// Whether the pixels of a JPEG have an end (ITU T.81, B.1.1.2): its decoder paints what is missing grey. The segments before them
/// are passed over, for a thumbnail in them has an end of its own.
fn is_whole_jpeg(file: &[u8]) -> bool {
    const START_OF_SCAN: u8 = 0xda;
    let mut at = 2;
    loop {
        match file.get(at..at + 4) {
            Some([0xff, 0xff, ..]) => at += 1, // fill
            Some([0xff, START_OF_SCAN, ..]) => return file[at..].windows(2).any(|pair| pair == [0xff, 0xd9]),
            Some([0xff, _, high, low]) => at += 2 + usize::from(u16::from_be_bytes([*high, *low])),
            _ => return false,
        }
    }
}

/// Whether every chunk of a WebP (RFC 9649 §2.3) ends in the file.
fn is_whole_webp(file: &[u8]) -> bool {
    let mut at = 12;
    while at < file.len() {
        let Some([.., a, b, c, d]) = file.get(at..at + 8) else { return false };
        let length = u32::from_le_bytes([*a, *b, *c, *d]);
        // An odd one is padded with a byte, which the last may lack.
        match usize::try_from(length).ok().and_then(|length| (at + 8).checked_add(length)) {
            Some(end) if end <= file.len() => at = end + end % 2,
            _ => return false,
        }
    }
    true
}

/// The square in the middle of a picture, on white. Reads the picture where it lies: no second copy of it is made.
struct Square<'a> {
    picture: &'a DynamicImage,
    left: u32,
    top: u32,
    side: u32,
}

impl<'a> Square<'a> {
    fn in_the_middle_of(picture: &'a DynamicImage) -> Option<Self> {
        let (width, height) = picture.dimensions();
        let side = width.min(height);
        (side > 0).then_some(Self { picture, left: (width - side) / 2, top: (height - side) / 2, side })
    }
}

impl GenericImageView for Square<'_> {
    type Pixel = Rgb<u8>;

    fn dimensions(&self) -> (u32, u32) {
        (self.side, self.side)
    }

    fn get_pixel(&self, x: u32, y: u32) -> Rgb<u8> {
        let Rgba([red, green, blue, alpha]) = self.picture.get_pixel(self.left + x, self.top + y);
        let on_white = |colour: u8| {
            let mixed = (u16::from(colour) * u16::from(alpha) + 255 * (255 - u16::from(alpha))) / 255;
            u8::try_from(mixed).unwrap_or(u8::MAX)
        };
        Rgb([on_white(red), on_white(green), on_white(blue)])
    }
}

/// The square at the large size. A huge one is averaged to twice that first: the fine filter reads each pixel many times.
fn shrunk(square: &Square<'_>) -> image::RgbImage {
    if square.side > 4 * LARGE {
        let rough = imageops::thumbnail(square, 2 * LARGE, 2 * LARGE);
        imageops::resize(&rough, LARGE, LARGE, FilterType::CatmullRom)
    } else {
        imageops::resize(square, LARGE, LARGE, FilterType::CatmullRom)
    }
}

fn jpeg(picture: &DynamicImage) -> Result<Vec<u8>, Flaw> {
    let mut file = Vec::new();
    let (width, height) = picture.dimensions();
    let written: ImageResult<()> = JpegEncoder::new_with_quality(&mut file, QUALITY).encode(picture.as_bytes(), width, height, ExtendedColorType::Rgb8);
    written.map_err(flaw)?;
    Ok(file)
}

/// What a decoder says, as a person needs it.
fn flaw(error: ImageError) -> Flaw {
    match error {
        ImageError::Limits(_) => Flaw::TooManyPixels,
        _ => Flaw::Broken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageFormat, RgbaImage};

    const KINDS: [(ImageFormat, &str); 3] = [(ImageFormat::Png, "me.png"), (ImageFormat::Jpeg, "me.JPG"), (ImageFormat::WebP, "me.webp")];
    const RED: Rgb<u8> = Rgb([200, 20, 20]);
    const BLUE: Rgb<u8> = Rgb([20, 20, 200]);

    fn file(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        picture.write_to(&mut file, format).unwrap();
        file.into_inner()
    }

    /// Red on the left, blue on the right, in so many columns of each.
    fn halves(width: u32, height: u32) -> DynamicImage {
        DynamicImage::ImageRgb8(image::RgbImage::from_fn(width, height, |x, _| if x < width / 2 { RED } else { BLUE }))
    }

    fn read(jpeg: &[u8]) -> image::RgbImage {
        image::load_from_memory_with_format(jpeg, ImageFormat::Jpeg).unwrap().to_rgb8()
    }

    fn is_near(picture: &image::RgbImage, at: (u32, u32), colour: Rgb<u8>) -> bool {
        picture.get_pixel(at.0, at.1).0.iter().zip(colour.0).all(|(a, b)| a.abs_diff(b) < 24)
    }

    /// A chunk of PNG with its checksum.
    fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let covered = [kind.as_slice(), data].concat();
        [&u32::try_from(data.len()).unwrap().to_be_bytes(), covered.as_slice(), &crc32fast::hash(&covered).to_be_bytes()].concat()
    }

    /// A JPEG with this segment behind its first two bytes.
    fn with_segment(jpeg: &[u8], marker: u8, data: &[u8]) -> Vec<u8> {
        let length = u16::try_from(data.len() + 2).unwrap().to_be_bytes();
        [&jpeg[..2], &[0xff, marker], &length, data, &jpeg[2..]].concat()
    }

    /// Exif that says how the camera was held (TIFF 6.0, tag 274) and where.
    fn exif(orientation: u8) -> Vec<u8> {
        let tag = [0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0];
        [b"Exif\0\0II*\0\x08\0\0\0\x01\0".as_slice(), &tag, &[0; 4], b"at home, 52.5 N 13.4 E"].concat()
    }

    #[test]
    fn every_kind_becomes_the_same_two_squares() {
        for (format, name) in KINDS {
            let drawn = draw(&file(&halves(400, 300), format), name).unwrap();
            assert!(drawn.small.starts_with(&[0xff, 0xd8, 0xff]) && drawn.large.starts_with(&[0xff, 0xd8, 0xff]), "{format:?}");
            let (small, large) = (read(&drawn.small), read(&drawn.large));
            assert_eq!((small.dimensions(), large.dimensions()), ((64, 64), (256, 256)), "{format:?}");
            assert!(is_near(&large, (20, 128), RED) && is_near(&large, (236, 128), BLUE), "{format:?}");
            assert!(is_near(&small, (5, 32), RED) && is_near(&small, (59, 32), BLUE), "{format:?}");
            assert_eq!(draw(&file(&halves(400, 300), format), name).unwrap(), drawn, "the same file is the same picture");
        }
    }

    #[test]
    fn the_middle_is_cut_out_however_long_the_picture_is() {
        let flag = DynamicImage::ImageRgb8(image::RgbImage::from_fn(900, 100, |x, _| if (400..500).contains(&x) { RED } else { BLUE }));
        let large = read(&draw(&file(&flag, ImageFormat::Png), "flag.png").unwrap().large);
        assert!([(4, 4), (251, 4), (128, 128), (4, 251), (251, 251)].into_iter().all(|at| is_near(&large, at, RED)));
        for (width, height) in [(1, 1), (30_000, 1), (1, 30_000), (3000, 1100)] {
            let drawn = draw(&file(&halves(width, height), ImageFormat::Png), "long.png").unwrap();
            assert_eq!(read(&drawn.large).dimensions(), (256, 256), "{width} x {height}");
        }
    }

    #[test]
    fn what_is_transparent_is_white_and_deep_colours_are_read() {
        let clear = DynamicImage::ImageRgba8(RgbaImage::from_pixel(40, 40, Rgba([0, 0, 0, 0])));
        for (format, name) in [KINDS[0], KINDS[2]] {
            assert!(is_near(&read(&draw(&file(&clear, format), name).unwrap().large), (128, 128), Rgb([255; 3])), "{format:?}");
        }
        let deep = DynamicImage::ImageRgb16(halves(50, 50).to_rgb16());
        assert!(is_near(&read(&draw(&file(&deep, ImageFormat::Png), "deep.png").unwrap().large), (20, 128), RED));
    }

    #[test]
    fn r79_nothing_of_the_file_comes_through_but_pixels_the_right_way_up() {
        let jpeg = file(&halves(300, 300), ImageFormat::Jpeg);
        // 6: the camera was turned left, so that what is on the left belongs on top.
        let hostile =
            [with_segment(&with_segment(&jpeg, 0xe1, &exif(6)), 0xfe, b"<script>alert(1)</script>"), b"<svg onload=alert(1)>PK\x03\x04".to_vec()].concat();
        let drawn = draw(&hostile, "me.jpg").unwrap();
        let large = read(&drawn.large);
        assert!(is_near(&large, (128, 20), RED) && is_near(&large, (128, 236), BLUE), "turned");
        assert!(is_near(&read(&drawn.small), (32, 5), RED));
        for file in [&drawn.small, &drawn.large] {
            for trace in [b"Exif".as_slice(), b"home", b"script", b"svg", b"PK"] {
                assert!(!file.windows(trace.len()).any(|part| part == trace), "{}", String::from_utf8_lossy(trace));
            }
        }
        let png = file(&halves(300, 300), ImageFormat::Png);
        let told = [&png[..33], &chunk(b"tEXt", b"Comment\0<script>"), &chunk(b"eXIf", &exif(6)[6..]), &png[33..]].concat();
        assert!(is_near(&read(&draw(&told, "me.png").unwrap().large), (128, 20), RED), "PNG has Exif too");
    }

    #[test]
    fn r79_what_is_no_picture_is_refused_by_its_first_bytes() {
        let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>".as_slice();
        for (bytes, name) in [
            (svg, "me.svg"),
            (svg, "me.png"),
            (b"<!DOCTYPE html><img>", "me.jpg"),
            (b"GIF89a\x01\0\x01\0\0\0\0;", "me.gif"),
            (b"BM______", "me.bmp"),
            (b"%PDF-1.7", "me.jpg"),
            (b"RIFF____WAVE", "me.webp"),
            (b"\0\0\0\x20ftypavif", "me.png"),
            (b"\xff\xd8", "me.jpg"),
            (b"x", ""),
        ] {
            assert_eq!(draw(bytes, name), Err(Flaw::NoPicture), "{name} {}", String::from_utf8_lossy(bytes));
        }
        assert_eq!(draw(b"", ""), Err(Flaw::Empty));
    }

    #[test]
    fn r79_a_name_must_not_say_something_else_than_the_file() {
        let png = file(&halves(10, 10), ImageFormat::Png);
        for wrong in ["me.jpg", "me.png.html", "me.svg", "me.php", "me."] {
            assert_eq!(draw(&png, wrong), Err(Flaw::Misnamed("PNG")), "{wrong}");
        }
        for right in ["me.png", "ME.PNG", "me.html.png", "me", "", "../../etc/passwd.png"] {
            assert!(draw(&png, right).is_ok(), "{right}");
        }
    }

    #[test]
    fn r79_pixels_are_counted_before_any_is_decoded() {
        // A megabyte of zeros could be gigabytes of pixels: what counts is what the head of the file claims.
        let head = |width: u32, height: u32| {
            let size = [width.to_be_bytes().as_slice(), &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
            [b"\x89PNG\r\n\x1a\n".as_slice(), &chunk(b"IHDR", &size), &chunk(b"IDAT", b"")].concat()
        };
        for (width, height) in [(5_000, 5_000), (60_000, 60_000), (24_000_001, 1), (u32::MAX >> 1, u32::MAX >> 1)] {
            let refused = draw(&head(width, height), "bomb.png");
            assert!(matches!(refused, Err(Flaw::TooManyPixels | Flaw::Broken)), "{width} x {height}: {refused:?}");
        }
        assert_eq!(draw(&head(5_000, 5_000), "bomb.png"), Err(Flaw::TooManyPixels));
        let mut jpeg = file(&halves(16, 16), ImageFormat::Jpeg);
        let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
        jpeg[frame + 5..frame + 9].copy_from_slice(&[0xff; 4]);
        assert_eq!(draw(&jpeg, "bomb.jpg"), Err(Flaw::TooManyPixels));
        // 16 bits a colour count double.
        let deep = [4_500_u32.to_be_bytes().as_slice(), &4_500_u32.to_be_bytes(), &[16, 6, 0, 0, 0]].concat();
        let deep = [b"\x89PNG\r\n\x1a\n".as_slice(), &chunk(b"IHDR", &deep), &chunk(b"IDAT", b"")].concat();
        assert_eq!(draw(&deep, "deep.png"), Err(Flaw::TooManyPixels));
    }

    #[test]
    fn r79_no_room_is_made_for_what_a_chunk_only_claims() {
        let webp = file(&halves(16, 16), ImageFormat::WebP);
        assert!(is_whole_webp(&webp) && draw(&webp, "me.webp").is_ok());
        for claimed in [1_u32, 0x7fff_ffff, 0xffff_fffe, u32::MAX] {
            let bomb = [webp.as_slice(), b"EXIF", &claimed.to_le_bytes()].concat();
            assert_eq!(draw(&bomb, "bomb.webp"), Err(Flaw::Broken), "{claimed}");
        }
        assert_eq!(draw(&webp[..webp.len() - 4], "cut.webp"), Err(Flaw::Broken));
    }

    #[test]
    fn r79_what_moves_is_refused() {
        let png = file(&halves(16, 16), ImageFormat::Png);
        let moving = [&png[..33], &chunk(b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0]), &png[33..]].concat();
        assert_eq!(draw(&moving, "moving.png"), Err(Flaw::Moves));

        let still = file(&halves(16, 16), ImageFormat::WebP);
        let part = |name: &[u8; 4], data: &[u8]| [name.as_slice(), &u32::try_from(data.len()).unwrap().to_le_bytes(), data].concat();
        // One frame of 16 x 16 for 100 ms, of the pixels of the still one (WebP container specification, "Animation").
        let frame = [[0; 6].as_slice(), &[15, 0, 0, 15, 0, 0, 100, 0, 0, 0], &still[12..]].concat();
        let parts = [part(b"VP8X", &[2, 0, 0, 0, 15, 0, 0, 15, 0, 0]), part(b"ANIM", &[0; 6]), part(b"ANMF", &frame), part(b"ANMF", &frame)].concat();
        let moving = [part(b"RIFF", &[b"WEBP".as_slice(), &parts].concat())].concat();
        assert_eq!(draw(&moving, "moving.webp"), Err(Flaw::Moves));
    }

    #[test]
    fn r79_what_is_cut_off_or_broken_is_refused() {
        for (format, name) in KINDS {
            let whole = file(&halves(400, 300), format);
            for kept in [20, whole.len() / 3, whole.len() / 2, whole.len() * 9 / 10] {
                assert_eq!(draw(&whole[..kept], name), Err(Flaw::Broken), "{format:?}, {kept} of {}", whole.len());
            }
        }
        // The end of a thumbnail in the Exif is not the end of the picture.
        let jpeg = file(&halves(400, 300), ImageFormat::Jpeg);
        let with_thumbnail = with_segment(&jpeg, 0xe1, b"Exif\0\0\xff\xd8\xff\xd9");
        assert!(draw(&with_thumbnail, "me.jpg").is_ok());
        assert_eq!(draw(&with_thumbnail[..with_thumbnail.len() / 2], "me.jpg"), Err(Flaw::Broken));
    }
}
