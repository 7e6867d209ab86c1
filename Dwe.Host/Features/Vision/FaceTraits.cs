namespace Dwe.Host.Features.Vision;

/// <summary>What nets guess of a face: model guesses, often wrong, of one photo and not of a person.</summary>
/// <param name="Male">0..1: above one half reads as a man, else as a woman.</param>
/// <param name="Age">Years.</param>
/// <param name="Race">Shares of <see cref="RaceLabels"/>, sum 1.</param>
/// <param name="Emotion">Shares of <see cref="EmotionLabels"/>, sum 1.</param>
internal sealed record FaceTraits(float Male, float Age, float[] Race, float[] Emotion)
{
    /// <summary>The race net's classes, in its order; DeepFace's middle eastern and latino hispanic are not among them.</summary>
    public static readonly IReadOnlyList<string> RaceLabels = ["white", "black", "asian", "indian", "other"];

    /// <summary>DeepFace's labels and order.</summary>
    public static readonly IReadOnlyList<string> EmotionLabels =
        ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"];

    public string Gender => Male > 0.5f ? "Man" : "Woman";

    public string LikeliestRace => RaceLabels[Likeliest(Race)];

    public string LikeliestEmotion => EmotionLabels[Likeliest(Emotion)];

    /// <summary>Numbers in <see cref="ToVector"/>.</summary>
    public static int Dimension(TraitChoice choice) =>
        (choice.Gender ? 1 : 0) + 1 + (choice.Race ? RaceLabels.Count : 0) + (choice.Emotion ? EmotionLabels.Count : 0);

    /// <summary>Male share, age / 100, race shares, emotion shares; without those that are left out.</summary>
    public float[] ToVector(TraitChoice choice) =>
    [
        .. choice.Gender ? [Male] : Array.Empty<float>(),
        Age / 100,
        .. choice.Race ? Race : [],
        .. choice.Emotion ? Emotion : [],
    ];

    private static int Likeliest(float[] shares) => Array.IndexOf(shares, shares.Max());
}

/// <summary>Which guesses are shown, stored and encoded; age always is.</summary>
internal sealed record TraitChoice(bool Gender = true, bool Race = true, bool Emotion = true)
{
    public static readonly TraitChoice All = new();

    /// <summary>Part of what a profile was computed from.</summary>
    public string Id => string.Join('+', new[]
    {
        Gender ? "gender" : "", Race ? "race" : "", "age", Emotion ? "emotion" : "",
    }.Where(name => name.Length > 0));
}

/// <summary>The sentence by which a face's attributes reach the text encoder.</summary>
internal static class ProfileText
{
    /// <summary>
    /// <c>gender: Man, race: asian, age: 32, emotion: angry</c>: the words and the order of the published pipeline
    /// (<c>prepare_wikipedia.py</c>), so that features of both mean the same.
    /// </summary>
    public static string Of(string? gender, string? race, int age, string? emotion, TraitChoice choice) => string.Join(", ", new[]
    {
        choice.Gender && gender is not null ? $"gender: {gender}" : "",
        choice.Race && race is not null ? $"race: {race}" : "",
        $"age: {age}",
        choice.Emotion && emotion is not null ? $"emotion: {emotion}" : "",
    }.Where(part => part.Length > 0));

    /// <summary>The sentence of what nets guessed; years are whole.</summary>
    public static string Of(FaceTraits traits, TraitChoice choice) => Of(
        traits.Gender, traits.LikeliestRace, (int)MathF.Round(traits.Age), traits.LikeliestEmotion, choice);
}
