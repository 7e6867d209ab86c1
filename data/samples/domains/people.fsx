/// The kinds of persons.
module Sample.People

open Sample.Model

let footballer =
    person
        "association football player"
        [ variant
              "striker"
              [ "a striker who led the attack of the national football team"
                "a centre-forward and record goalscorer in league football" ]
              [ "{m} netted twice in the derby and was carried off by the crowd"
                "A header by {m} in stoppage time settled the cup final"
                "{m} celebrates a hat-trick against the visitors from {home}"
                "After beating two defenders, {m} shot low into the corner of the net"
                "The penalty was converted by {m}, {his} thirtieth of the season"
                "Fans still talk of the volley with which {m} won the match in {year}" ]
          variant
              "goalkeeper"
              [ "a football goalkeeper, capped for {his} country"
                "a goalkeeper noted for keeping clean sheets in the first division" ]
              [ "{m} dived to the left and pushed the penalty round the post"
                "With gloves raised, {m} organises the wall before a free kick"
                "Nothing got past {m} between the posts all afternoon"
                "{m} saved three spot kicks in the shoot-out against {home}"
                "A long throw from {m} started the counter-attack from {his} own box"
                "The shot slipped through the hands of {m} and over the line" ]
          variant
              "coach"
              [ "a football manager who coached several league sides"
                "the head coach of a professional football team" ]
              [ "From the touchline {m} shouted at the back four to push up"
                "{m} was sacked after six straight defeats in the league"
                "At half-time {m} changed the formation and brought on two substitutes"
                "The board of the club gave {m} a new contract to pick the squad"
                "{m} drew tactics on a blackboard in the dressing room"
                "Players praised the training sessions of {m} before the play-offs in {home}" ] ]

let swimmer =
    person
        "aquatic athlete"
        [ variant
              "sprint swimmer"
              [ "a freestyle swimmer who specialised in short pool distances"
                "a swimmer and world record holder over one hundred metres" ]
              [ "{m} touched the wall first in the fifty-metre final"
                "In lane four, {m} surfaced from the dive half a length ahead"
                "{m} shaved a tenth of a second off {his} best time in the pool"
                "The relay was anchored by {m}, who swam the last lap in {home}"
                "{m} adjusts goggles and cap on the starting block"
                "A fast turn gave {m} gold in the front crawl" ]
          variant
              "open-water swimmer"
              [ "a long-distance swimmer who crossed straits and channels"
                "a marathon swimmer at home in cold open water" ]
              [ "Covered in grease, {m} waded into the sea to cross the strait"
                "After eleven hours among jellyfish and tides, {m} reached the far shore"
                "A rowing boat followed {m} through the waves off {home}"
                "{m} fed on broth from a pole halfway across the channel"
                "The currents swept {m} two miles from the beach where {he} meant to land"
                "{m} swam around the whole island in icy conditions" ]
          variant
              "diver"
              [ "a competitive diver from the high platform"
                "a springboard and platform diver with several medals" ]
              [ "{m} left the ten-metre tower with a reverse somersault"
                "The judges gave {m} straight nines for a twist and a clean entry"
                "{m} bounces on the board before a double somersault"
                "Hardly a splash was seen as {m} entered the water in {home}"
                "A handstand take-off brought {m} the title from the tower"
                "{m} hit the board in the pike and withdrew from the contest" ] ]

let cyclist =
    person
        "cyclist"
        [ variant
              "climber"
              [ "a road racing cyclist known as a mountain climber"
                "a cyclist who won several stages of long road races" ]
              [ "{m} attacked on the last hairpin and rode alone over the pass"
                "Wearing the leader's jersey, {m} dropped the peloton on the steep gradient"
                "{m} won the stage to {home} after six hours in the saddle"
                "A puncture on the descent cost {m} the overall tour"
                "{m} danced on the pedals up the final slope"
                "The breakaway was caught, but {m} kept the polka-dot shirt" ]
          variant
              "track sprinter"
              [ "a track cyclist who raced in the velodrome"; "a sprint and keirin cyclist on the track" ]
              [ "On the banked boards {m} came round {his} rival in the last lap"
                "{m} balanced motionless on a fixed-gear bike before the sprint"
                "The bell rang and {m} jumped past the derny pacer"
                "{m} broke the flying lap record on the indoor oval at {home}"
                "In the pursuit, {m} caught the opponent on the back straight"
                "{m} wears a pointed helmet and rides a disc wheel indoors" ]
          variant
              "mountain biker"
              [ "a mountain biker and downhill racer"; "an off-road cyclist in the cross-country discipline" ]
              [ "Splashed with mud, {m} jumped the rocks on the forest trail"
                "{m} went over the handlebars at a tree root and finished third"
                "Full suspension helped {m} through the steep rock garden"
                "{m} raced down the ski slope between pines near {home}"
                "On knobbly tyres {m} passed two riders in the stream crossing"
                "A wooden drop sent {m} flying into the woods" ] ]

let astronomer =
    person
        "astronomer"
        [ variant
              "variable stars"
              [ "an astronomer who observed variable stars and novae"
                "a stellar observer who catalogued changes in the brightness of stars" ]
              [ "Night after night {m} noted how one distant sun faded and flared up again"
                "{m} compared photographic plates and found a nova"
                "Light curves drawn by {m} showed a pulse of five days"
                "At the eyepiece in {home}, {m} timed the dimming of an eclipsing pair"
                "{m} measured magnitudes of red giants for forty years"
                "The telescope dome was where {m} listed pulsating stars" ]
          variant
              "planets"
              [ "a planetary scientist who mapped the surfaces of other worlds"
                "an astronomer of the solar system, above all of the planets and their moons" ]
              [ "{m} charted craters and dust storms on Mars"
                "Images sent by the probe let {m} find ice on a moon of Saturn"
                "{m} drew the belts of Jupiter at the observatory in {home}"
                "The lander touched down where {m} had proposed, on a plain of lava"
                "Using radar, {m} worked out the spin of Venus"
                "{m} explained to reporters why the rover had found dry river beds" ]
          variant
              "cosmologist"
              [ "a cosmologist concerned with the origin of the universe"
                "a theoretical physicist who studied the expansion of space" ]
              [ "{m} calculated how fast the galaxies fly apart"
                "On the blackboard {m} derived the first seconds after the Big Bang"
                "A lecture by {m} in {home} dealt with dark matter and the age of everything"
                "{m} argued that empty space itself carries energy"
                "The background radiation confirmed what {m} had predicted about the early cosmos"
                "{m} doubted that time had a beginning" ] ]

let botanist =
    person
        "botanist"
        [ variant
              "mosses"
              [ "a botanist who studied mosses and liverworts"; "a bryologist and author of a moss flora" ]
              [ "{m} scraped tiny green cushions from wet rocks in the bog"
                "With a hand lens {m} examined the spore capsules of sphagnum"
                "The damp gullies near {home} yielded nine new bryophytes to {m}"
                "{m} dried peat samples between sheets of paper"
                "On roofs and tree trunks {m} found plants without flowers or roots"
                "{m} named a liverwort after {his} assistant" ]
          variant
              "orchids"
              [ "a plant collector and authority on orchids"
                "a botanist who brought tropical flowers into cultivation" ]
              [ "{m} sent crates of rare blooms home from the rainforest"
                "In the heated greenhouse {m} pollinated a slipper flower by hand"
                "High in the canopy {m} found an epiphyte with purple petals"
                "{m} described forty species of vanilla and their relatives"
                "Gardeners in {home} paid a fortune for the exotic blossoms of {m}"
                "A jungle expedition by {m} came back with living specimens in glass cases" ]
          variant
              "crops"
              [ "a plant breeder who improved cereal crops"
                "an agricultural botanist who developed new varieties of wheat" ]
              [ "{m} crossed two strains of barley that resist rust"
                "Harvests doubled with the short-stemmed grain of {m}"
                "In trial plots at {home}, {m} selected ears by hand"
                "Farmers were given seed that {m} had bred against drought"
                "{m} counted kernels in the rye field"
                "A famine was averted by the hardy maize of {m}" ] ]

let chemist =
    person
        "chemist"
        [ variant
              "dyes"
              [ "a chemist who invented synthetic dyes"
                "an industrial chemist in the field of colourants for textiles" ]
              [ "A failed experiment with coal tar gave {m} a brilliant purple"
                "{m} coloured silk a fast scarlet in the laboratory"
                "The mill in {home} bought the patent of {m} for artificial indigo"
                "{m} boiled aniline until the flask turned mauve"
                "Cloth treated by {m} did not fade in the wash"
                "Yellow pigments made {m} rich" ]
          variant
              "polymers"
              [ "a chemist who pioneered plastics and polymers"
                "a polymer chemist, inventor of a synthetic fibre" ]
              [ "{m} pulled a long thread out of the beaker and called it artificial silk"
                "Long chains of molecules were the life's work of {m}"
                "{m} moulded the first unbreakable cups from resin"
                "In the factory at {home} nylon stockings were spun by the process of {m}"
                "{m} found a way to make rubber without trees"
                "The sticky residue in the tube turned out to be a new plastic, {m} noted" ]
          variant
              "batteries"
              [ "an electrochemist who worked on batteries"; "a chemist who developed rechargeable cells" ]
              [ "{m} stored twice the charge with a lithium electrode"
                "Electric cars owe their range to the cathode of {m}"
                "{m} dipped zinc and copper plates in acid to get a current"
                "At {home}, {m} tested how often an accumulator can be refilled with electricity"
                "A new electrolyte let {m} build a lighter power pack"
                "{m} measured the voltage between two metals in brine" ] ]

let musician =
    person
        "musician"
        [ variant
              "violinist"
              [ "a concert violinist and teacher of the violin"; "a classical violin soloist" ]
              [ "{m} raised the bow and began the slow movement of the concerto"
                "The orchestra in {home} waited while {m} tuned {his} four strings"
                "{m} played an unaccompanied sonata on an old Italian instrument"
                "A string snapped in the cadenza, yet {m} did not stop"
                "With the chin on the fiddle, {m} led the quartet"
                "{m} drew tears with a romance for strings and piano" ]
          variant
              "jazz trumpeter"
              [ "a jazz trumpeter and bandleader"; "a trumpet player of the swing and bebop era" ]
              [ "{m} blew a long solo over the rhythm section in the smoky club"
                "With a mute in the horn, {m} improvised on a blues"
                "{m} and {his} big band played for dancers in {home}"
                "The brass player {m} held a high note until the drummer gave up"
                "After midnight {m} jammed with a saxophonist and a bassist"
                "{m} puffed {his} cheeks and swung the standard into double time" ]
          variant
              "folk singer"
              [ "a folk singer and songwriter"; "a balladeer who collected and performed traditional songs" ]
              [ "{m} strummed an acoustic guitar and sang of the striking miners"
                "An old ballad about a drowned sailor was recorded by {m}"
                "{m} sang protest verses on the steps in {home}"
                "Around the campfire {m} taught the chorus to everyone"
                "With banjo and harmonica, {m} toured village halls"
                "{m} wrote down the tunes that grandmothers hummed" ] ]

let painter =
    person
        "painter"
        [ variant
              "portraits"
              [ "a portrait painter to the court and to society"; "a painter of portraits in oil" ]
              [ "The duchess sat for {m} for eleven mornings"
                "{m} caught the banker's sly smile on canvas"
                "A likeness of the old king by {m} hangs in {home}"
                "{m} took pains over the hands and eyes of {his} sitters"
                "The family did not recognise grandfather in the picture by {m}"
                "Nobles queued at the studio of {m} to have their faces immortalised" ]
          variant
              "seascapes"
              [ "a marine painter of coasts and storms"; "a landscape artist who chiefly painted the sea" ]
              [ "{m} set up the easel on the cliff to catch the breaking waves"
                "Fishing boats in a gale fill the large canvas by {m}"
                "{m} painted the harbour of {home} under a grey dawn"
                "In the watercolours of {m} sky and ocean melt together"
                "Salt spray stuck to the wet oils of {m}"
                "{m} sketched the wreck from the beach" ]
          variant
              "abstract art"
              [ "an abstract artist who made murals and colour fields"
                "a modernist painter of geometric compositions" ]
              [ "{m} covered the wall with red squares and black lines"
                "Nobody could say which way up the canvas by {m} should hang"
                "{m} dripped and flung paint over the floor"
                "A huge non-figurative work by {m} brightens the station in {home}"
                "Circles, triangles and bare colour were enough for {m}"
                "The critics laughed at the blank blue panel by {m}" ] ]

let politician =
    person
        "politician"
        [ variant
              "minister"
              [ "a statesman who served as minister of finance"
                "a government minister responsible for the treasury" ]
              [ "{m} presented the budget and raised the duty on tobacco"
                "In parliament {m} defended the new income tax"
                "{m} resigned from the cabinet over the national debt"
                "Opposition benches jeered as {m} read out the deficit"
                "{m} signed the loan agreement with the delegates in {home}"
                "The currency was devalued by {m} in {year}" ]
          variant
              "mayor"
              [ "a local politician and long-time mayor"; "a mayor known for rebuilding the city" ]
              [ "{m} cut the ribbon of the new tram line"
                "At the town hall {m} handed the keys of the city to the guest"
                "{m} wore the chain of office at the opening of the market"
                "Council members voted with {m} to pave the streets of {home}"
                "{m} promised the burghers cleaner drains and more parks"
                "Residents elected {m} for a fifth term to run the municipality" ]
          variant
              "suffrage campaigner"
              [ "an activist who campaigned for votes for women"
                "a campaigner for equal rights and universal suffrage" ]
              [ "{m} chained {him}self to the railings for the right to the ballot"
                "Behind the purple banner {m} marched through {home}"
                "{m} went on hunger strike in prison for the cause"
                "Police dragged {m} from the rally of the suffragettes"
                "A petition with a million female signatures was delivered by {m}"
                "{m} spoke from a cart on why wives and daughters should vote" ] ]

let actor =
    person
        "actor"
        [ variant
              "silent comedy"
              [ "a comic actor of silent films"; "a slapstick comedian of the early screen" ]
              [ "{m} slips on a banana peel in a two-reel farce"
                "In the black-and-white chase {m} hangs from a clock without a word"
                "{m} throws a custard pie at the policeman"
                "With bowler and sad eyes, {m} made audiences in {home} roar"
                "The piano accompanied {m} as {he} fell down the stairs"
                "{m} did {his} own stunts on a runaway train, all before sound" ]
          variant
              "stage tragedian"
              [ "a stage actor known for tragic roles in the classics"
                "a theatre performer of tragedy in verse" ]
              [ "{m} wept over the skull in the graveyard scene"
                "The curtain fell on {m} as the dying prince"
                "{m} was called back nine times by the gallery in {home}"
                "Every night {m} went mad on the heath as the old king"
                "Rehearsing the soliloquy, {m} paced the boards"
                "The footlights lit {m} in doublet and dagger" ]
          variant
              "soap opera"
              [ "a television actor who starred in a long-running soap opera"
                "an actor known for the villain of a daily television serial" ]
              [ "Millions of viewers saw {m} poison the landlord in Monday's episode"
                "{m} left the weekday series after nineteen seasons"
                "On the small screen {m} was the scheming owner of the hospital"
                "The wedding cliffhanger with {m} broke audience ratings"
                "{m} signs autographs for fans of the TV drama in {home}"
                "Scriptwriters had the character of {m} return from the dead" ] ]

let architect =
    person
        "architect"
        [ variant
              "churches"
              [ "an architect of churches and cathedrals"
                "a builder of sacred buildings in the Gothic Revival style" ]
              [ "{m} gave the nave pointed arches and a rose window"
                "The spire by {m} rises above the altar and the choir"
                "{m} designed the abbey at {home} with flying buttresses"
                "The bishop quarrelled with {m} over the cost of the vault"
                "Stained glass fills the chapel that {m} planned"
                "{m} died before the bell tower was consecrated" ]
          variant
              "bridges"
              [ "a civil engineer who built bridges"; "a structural engineer of viaducts and suspension bridges" ]
              [ "{m} slung steel cables across the gorge"
                "The span over the estuary by {m} carries trains and carts"
                "{m} calculated the load on every pier and girder"
                "Since {year} one crosses the strait at {home} on the work of {m}"
                "In the storm the deck that {m} had hung began to sway"
                "Nine iron arches by {m} lead the railway over the valley" ]
          variant
              "housing"
              [ "an architect of social housing and garden suburbs"
                "a modernist architect who planned affordable homes" ]
              [ "{m} gave every worker's flat a balcony and a bath"
                "The estate of low-rent apartments in {home} was laid out by {m}"
                "{m} put slabs of council flats around a green"
                "Families from the slums moved into the terraces of {m}"
                "Concrete towers with cheap dwellings were the answer of {m}"
                "{m} drew small kitchens where everything is in reach of the tenant" ] ]

let cook =
    person
        "chef"
        [ variant
              "pastry chef"
              [ "a pastry chef and confectioner"; "a baker famed for cakes and desserts" ]
              [ "{m} piped cream roses on a tower of meringue"
                "Nobody folded butter into dough like {m}"
                "{m} spun sugar into a cage for the wedding tart"
                "Chocolate éclairs by {m} sold out in {home} before noon"
                "The sponge rose and {m} dusted it with icing"
                "{m} opened a sweet shop with marzipan in the window" ]
          variant
              "seafood chef"
              [ "a restaurateur who cooked fish and shellfish"; "a chef of a celebrated seafood restaurant" ]
              [ "{m} bought turbot and crabs on the quay at dawn"
                "Guests in {home} cracked lobster claws at the tables of {m}"
                "{m} opened four dozen oysters in a minute"
                "The bouillabaisse of {m} earned a second star"
                "{m} grilled mackerel with nothing but lemon"
                "Squid in its own ink was the dish that made {m}" ]
          variant
              "television cook"
              [ "a broadcaster and author who taught home cooking on television"
                "a television personality and writer of cookery books" ]
              [ "{m} showed viewers how to roast a chicken before the camera"
                "Housewives copied the weeknight recipes that {m} read on air"
                "{m} dropped the omelette live in the studio and laughed"
                "A best-selling book of family suppers by {m} appeared in {year}"
                "On Saturday's show {m} made soup from leftovers with a guest from {home}"
                "Half the nation learnt to boil rice from the programme of {m}" ] ]

let explorer =
    person
        "explorer"
        [ variant
              "polar explorer"
              [ "a polar explorer who led expeditions to the Antarctic"; "an explorer of the Arctic" ]
              [ "{m} harnessed the dogs and drove the sledge over the pack ice"
                "Frostbite cost {m} two toes on the way to the pole"
                "{m} wintered in a hut on the frozen shelf among penguins"
                "The flag that {m} planted at ninety degrees south was made in {home}"
                "Trapped in the floes, {m} and {his} men ate seal"
                "{m} returned snow-blind from the white continent" ]
          variant
              "desert traveller"
              [ "a traveller who crossed the great deserts"; "an explorer of arid lands and caravan routes" ]
              [ "{m} rode a camel for forty days between wells"
                "Among the dunes {m} found a buried city"
                "{m} wrote of thirst and mirages on the road to {home}"
                "Nomads guided {m} by the stars across the sand"
                "A sandstorm scattered the caravan of {m}"
                "{m} drew the first map of the oases" ]
          variant
              "caver"
              [ "a speleologist who explored caves and underground rivers"
                "a caver and pioneer of cave exploration" ]
              [ "{m} squeezed through a crack and saw a hall of stalactites"
                "On a rope ladder {m} descended the deepest shaft near {home}"
                "By lamplight {m} paddled a subterranean lake"
                "{m} mapped nine miles of tunnels in the limestone"
                "Bats fluttered round {m} in the dark chamber"
                "Floodwater trapped {m} below ground for three days" ] ]

let physician =
    person
        "physician"
        [ variant
              "surgeon"
              [ "a surgeon who pioneered operations on the heart"; "a heart surgeon and professor of surgery" ]
              [ "{m} stitched a valve while a machine pumped the patient's blood"
                "In the theatre {m} held out a hand for the scalpel"
                "{m} transplanted the organ in a seven-hour operation"
                "Under the bright lamp {m} opened the chest of a boy from {home}"
                "The bypass that {m} sewed held for thirty years"
                "{m} scrubbed {his} hands and put on the mask" ]
          variant
              "epidemiologist"
              [ "an epidemiologist who studied the spread of infectious disease"
                "a public health officer who fought epidemics" ]
              [ "{m} traced the cholera to one dirty well"
                "During the outbreak in {home}, {m} ordered a quarantine"
                "{m} plotted the deaths from fever on a street map"
                "Vaccination teams went from door to door under {m}"
                "{m} proved that mosquitoes carry the germ"
                "The curve of new infections fell, as {m} had forecast" ]
          variant
              "paediatrician"
              [ "a paediatrician and founder of a children's hospital"
                "a doctor devoted to the care of infants" ]
              [ "{m} weighed the newborns every morning"
                "A toddler holds the stethoscope of {m}"
                "{m} told young mothers in {home} to boil the milk"
                "Toys hung over the beds in the ward of {m}"
                "Premature babies survived in the warm boxes of {m}"
                "{m} gave each small patient a sweet after the measles jab" ] ]

let kinds =
    [ footballer
      swimmer
      cyclist
      astronomer
      botanist
      chemist
      musician
      painter
      politician
      actor
      architect
      cook
      explorer
      physician ]
