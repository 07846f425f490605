-- Scores of the present month and year change in place: no index holds them. Each new version of such a row cost an entry in every index of
-- its table, ten for one rating; and what the indexes saved was little, as a recap counts all rows of its period anyway. With half of each
-- page free the new version finds room beside the old one (heap-only tuples).
-- Writes: the projector. Reads: query-service.

DROP INDEX read_recaps.rated_watch_space_period_mean_thousandths_anime_idx;
DROP INDEX read_recaps.rated_watch_space_period_spread_tenths_anime_idx;
DROP INDEX read_recaps.own_scores_profile_period_score_tenths_anime_idx;
ALTER TABLE read_recaps.anime SET (fillfactor = 50);
ALTER TABLE read_recaps.rated SET (fillfactor = 50);
ALTER TABLE read_recaps.own_scores SET (fillfactor = 50);
