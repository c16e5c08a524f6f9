//! Charts as server-rendered SVG from plain numbers: x in per cent and y in pixels, so they fit any width without script and
//! text never stretches; heights are fixed, so nothing jumps. What is above the limit's bar did not pass. A table stands
//! behind every chart; the one island adds exact values under the pointer and dragging to a shorter time.

mod axis;
mod bars;
mod data;
mod hover;
mod lines;
mod scale;
mod sparkline;
mod usage_chart;

pub use bars::{Hatch, HatchProps, Plot, PlotProps};
pub use data::{Bucket, Limit, Series, Sums};
pub use hover::{ChartHover, ChartHoverProps, HoverData, HoverLine, HoverPoint};
pub use lines::{Line, LineChart, LineChartProps, Lines};
pub use scale::Scale;
pub use sparkline::{Sparkline, SparklineProps};
pub use usage_chart::{UsageChart, UsageChartProps};
