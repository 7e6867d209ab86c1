namespace Dwe.Host.Features.Vision;

/// <summary>A face with what was read of it.</summary>
/// <param name="Box">The detector's square, in the image's pixels.</param>
/// <param name="Score">0..1.</param>
/// <param name="Traits">Model guesses.</param>
/// <param name="Identity">128 numbers; null where they were not asked for.</param>
internal sealed record ReadFace(Region Box, float Score, FaceTraits Traits, float[]? Identity);

/// <summary>A person: box, mask, and the face where one was found.</summary>
internal sealed record FoundPerson(Region Box, float Score, PersonMask Mask, ReadFace? Face);

/// <summary>All that the default models see in one picture: what a page about it is drawn from.</summary>
/// <param name="Width">Of the picture as analysed, upright.</param>
/// <param name="Height">Of the picture as analysed.</param>
/// <param name="Persons">From left to right.</param>
/// <param name="Faces">Faces that belong to no person that was found, the surest first.</param>
/// <param name="Objects">Of other classes, the surest first.</param>
internal sealed record ImageAnalysis(
    int Width, int Height, IReadOnlyList<FoundPerson> Persons, IReadOnlyList<ReadFace> Faces, IReadOnlyList<FoundObject> Objects)
{
    /// <summary>Persons' faces from left to right, then the others.</summary>
    public IEnumerable<ReadFace> AllFaces => Persons.Select(person => person.Face).OfType<ReadFace>().Concat(Faces);
}
