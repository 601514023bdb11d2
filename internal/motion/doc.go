// Package motion finds out that something moves in front of a camera, from then till then.
//
// A Watcher takes one picture a second of a camera's smallest stream (its key pictures, if they
// come at least every 2 s; else by decoding it through), has candor-decode make it small and
// grey, and hands it to a Detector. What the Detector finds goes to a Sink. A Watcher works under
// a lease and stops with it.
//
// # How a Detector works
//
// It keeps a background: for each of 160 × 90 pixels up to three values that are seen when nothing
// moves, and how much the pixel usually differs from them. A new picture is compared in steps.
//
//  1. The light of the whole picture (a gain and an offset) is fitted and the background moved
//     to it: exposure that adapts, dusk, a lamp that is switched on.
//  2. A pixel is bright if it differs in luma, and a seed if what surrounds it differs in
//     structure, whatever the local brightness. The thresholds grow with what the pixel usually
//     differs by and with the noise of this picture.
//  3. Connected pixels make parts. A part moves if it has seeds enough: for the sensitivity,
//     and for its size. A lamp's cone on a wall and a soft shadow are bright but have few seeds.
//  4. If seeds are nearly everywhere, the scene changed as a whole (a turned camera, night mode)
//     and is learned anew; that is no event, and ends one.
//  5. Where nothing moves the background follows the picture slowly. Under what moves it is
//     frozen. A value seen for 60 s joins the background, so what is left standing is absorbed.
//     When that leaves, or what was there from the first, the place is learned anew within some
//     seconds: its outline is an edge of the background and none of the picture.
//
// An event begins with one large or two small sightings, goes on while anything is seen above
// lower thresholds, and ends when the scene has equalled the background for 2 s.
//
// # Limits
//
// What comes and goes between two pictures is not seen. Something that covers more than three
// quarters of the picture from one second to the next is taken for a change of scene. Something
// with the luma and the structure of what is behind it is not seen: colour is not looked at.
// Hard shadows, headlights on a wall, insects on the lens, rain on it and an animal are movement.
// A tree in the wind is movement until its values have joined the background, some minutes.
// Somebody who stands still for a minute is absorbed; the event goes on only if they move.
// What was there when the watching began is background; when it goes, the event may last a
// minute longer where the place behind it is as full of edges as it was itself.
package motion
