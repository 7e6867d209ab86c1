namespace Dwe.Model.Domain

/// What a mention means according to its data set.
type Gold =
    | Entity of id: string
    | Nil
    | Unlabelled

/// A rectangle in the pixels of an image, as its data set gives it: it may reach beyond the image.
type Box = { Left: float; Top: float; Right: float; Bottom: float }

/// A mention in its sentence, with the images that go with it. No tensors, no files opened: `Images` are names.
type Mention =
    {
        /// Unique within its split, e.g. `10-0` in WikiMEL.
        Key: string
        /// The mention's text as it stands in the sentence.
        Text: string
        Sentence: string
        /// Image names relative to the data set's image folder; empty where the mention has none.
        Images: string[]
        /// The entity type the data set states, or "" where it states none.
        Type: string
        Gold: Gold
        /// Where in its image the mention is, in data sets whose mentions are persons in photos; null in all others.
        Box: Box | null
    }
