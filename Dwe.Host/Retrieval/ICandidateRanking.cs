namespace Dwe.Host.Retrieval;

/// <summary>A way to propose entities for a mention's text.</summary>
internal interface ICandidateRanking
{
    /// <summary>Its name on the command line.</summary>
    string Method { get; }

    /// <summary>What it computes, for the card: changes whenever lists do.</summary>
    string Description { get; }

    NameList Names { get; }

    /// <summary>A ranker for one thread; what it shares with the others is never changed.</summary>
    /// <param name="top">Length of a list, at most.</param>
    /// <returns>From a mention's text to the ids of different entities, best first.</returns>
    Func<string, string[]> Ranker(int top);
}
