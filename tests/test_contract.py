"""What every user relies on before anything is computed: light imports, pinned public names, plain errors."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from emonet.errors import MissingExtraError, require

COMMANDS = (
    "estimate", "caption", "paraphrase", "taxonomy", "models", "train", "annotate", "dataset", "synthesize",
    "benchmark", "bulk", "serve", "doctor",
)  # fmt: skip
_HEAVY = (
    "torch",
    "transformers",
    "ray",
    "fastapi",
    "matplotlib",
    "onnxruntime",
    "polars",
    "pyarrow",
    "PIL",
    "numpy",
    "sqlalchemy",
    "fsspec",
)


def _loaded_by(code: str) -> set[str]:
    """Heavy modules that a fresh interpreter holds after running `code`."""
    listing = f"import sys\n{code}\nprint(*[m for m in {_HEAVY!r} if m in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_import_is_light() -> None:
    """`import emonet` loads nothing heavy, numpy included."""
    assert _loaded_by("import emonet") == set()


@pytest.mark.parametrize(
    "arguments",
    [["--help"], *([name, "--help"] for name in COMMANDS), ["taxonomy", "list"]],
)
def test_help_is_light(arguments: list[str]) -> None:
    """Help and the taxonomy need no model, table or media library."""
    call = f"try:\n    main({arguments!r})\nexcept SystemExit as end:\n    assert not end.code"
    code = f"from emonet.cli import main\n{call}"
    assert _loaded_by(code) == set()


_PUBLIC = {
    "emonet": """
        __version__ Estimate Estimates Estimator load
    """,
    "emonet.services": """
        ask cache_file chat_body CostEstimate Endpoint estimate_cost json_reply Kind KINDS read_account
        Reply ReplyStatus Request ServiceAccount
    """,
    "emonet.taxonomy": """
        Attribute attribute ATTRIBUTES built_in checkpoint_name coarse_class dimension_key dimension_record
        display_name Emotion emotion EMOTION_LEVELS EMOTIONS GROUPS known_emotions Modality read_taxonomy
        resolve SOURCE Taxonomy VERSION write_taxonomy
    """,
    "emonet.taxonomy.derivation": """
        Agreement agreement Book build_taxonomy Category Change changes Chunk chunks_of compare Coverage
        derive Derived drop Entry faults Lexicon merge move Page parse_review Plan plan read_book
        read_lexicon read_review remarks rename Review Section Settings split Stability Term
        UnreadableBookError write_review
    """,
    "emonet.media": """
        Audio AUDIO_SUFFIXES AudioStream decode_image Face FaceDetector Image IMAGE_SUFFIXES Kind kind_of
        load_face_detector MAX_AUDIO_S MAX_PIXELS open_audio read_audio read_video Region SAMPLE_RATE
        speech_windows track_faces VIDEO_SUFFIXES WindowPolicy WindowReport
    """,
    "emonet.statistics": """
        alpha_columns auc_columns auc_interval balanced_accuracy balanced_accuracy_interval bootstrap_alpha
        bootstrap_auc bootstrap_kappa bootstrap_mae bootstrap_mean bootstrap_pearson bootstrap_rmse
        bootstrap_spearman calibration_error cronbach_alpha dawid_skene DawidSkene fleiss_kappa holm icc
        Interval kappa_matrix krippendorff_alpha LEVEL macro_auc_interval macro_f1 macro_spearman_interval
        mae mae_columns mann_whitney mean_interval mid_ranks pearson pearson_columns percent_agreement
        percentile_interval permutation_test Resampler rmse rmse_columns roc_auc row_means spearman
        spearman_columns spearman_interval Tested weighted_kappa weighted_kappa_published wilson
    """,
    "emonet.datasets": """
        contrast_pairs describe Description download folds gold LabelledSet list_shards
        parse_talent_annotation parse_talent_name Rater RaterKind RATING_SCHEMA Ratings read_coarse
        read_cremad read_described read_emobox read_emolia_bench read_face_binary read_face_hq read_ferplus
        read_mdns read_rated read_samples read_voice Sample SET_KINDS Shard ShardKind TalentAnnotation
        TalentName triple_positives vote_patterns write_emobox write_rated write_shards
    """,
    "emonet.datasets.curation": """
        Balance balance_items balance_of build_dataset check_categories count_categories decide Decision
        drop_copies drop_scarce filter_quality Finding group_copies inspect_dataset Inspection label_items
        measure_picture measure_sound pairs_of picture_copies picture_signature PictureLimits
        PictureMeasures PictureRule PictureSignature Push push_dataset read_recipe read_set read_validation
        Recipe Report Selection SetFacts sound_copies sound_signature SoundLimits SoundMeasures SoundRule
        SoundSignature Split split_dataset split_items Step strict_agreement threshold validate_dataset
        Validation write_card write_validation
    """,
    "emonet.models": """
        add_torch_tier AudioPreprocessing Calibration Card check_bundle Computed convert EncoderFile
        Evidence HeadCheck HeadGroup HeadsFile HeadWeights ImagePreprocessing list_models Listed load_model
        log_mel Metric Model network_input Precision PUBLISHED Published pull quantize RANK_BOUND read_card
        resolve_model Runtime Scale ScoreRangeWarning Session sha256 square_crop Tier TierCheck TrainingData
        update_card verify verify_tier write_bundle
    """,
    "emonet.estimation": """
        clock dimension_columns Estimate estimate_files Estimates Estimator Estimators expand_inputs
        FaceOptions load Piece place Ranked REGION_COLUMNS Scale SCALES Status STATUSES stream_files Values
        VoiceOptions
    """,
    "emonet.captions": """
        Baseline baseline_for baseline_of_model Caption caption_estimate caption_estimates caption_scores
        CaptionedRegion clip_seed Cue described Diversity diversity enrich_shard Enriched FORMATS formatted
        heard make_baseline Mention Mentions mentions paraphrase paraphrase_cost paraphrase_fault
        Paraphrases parse_baseline read_baseline Said select Selection sentence_seed srt Statistic Strength
        STRENGTHS stretches TEMPLATES Unclear vtt write_baseline
    """,
    "emonet.captions.whisper": """
        Burst burst_classes BurstClass CaptionedWindow Captioner CaptionerRecipe CaptionEvaluation
        clean_caption convert_captioner EmotionAgreement evaluate_captions Evidence load_captioner
        parse_caption PartialCaption read_captioner_recipe StructuredCaption TextQuality Tone
        train_captioner TrainedCaptioner Trait
    """,
    "emonet.reports": """
        by_source Captions compact detail draw_chart EmbeddingTable Format format_of FORMATS GROUP_COLORS
        html_report laion_face laion_voice LaionFolder NOTE open_table print_estimates write_html write_text
        Writer
    """,
    "emonet.training": """
        read_recipe train_detector train_embedded
    """,
    "emonet.training.experts": """
        Options Stage train_experts
    """,
    "emonet.benchmark": """
        Analysis COMMON_SCALES compare_results Comparison Config DEFINITIONS draw_report evaluate_transfer
        HUMAN_CEILING LabelledScores limited LOWER_IS_BETTER METRICS output_folder published_scores
        read_config read_results read_set read_transfer Results run_benchmark SCHEMAS score_raters Transfer
        transfer_map transfer_maps TransferMap write_results
    """,
    "emonet.benchmark.raters": """
        build_rater Progress Rated RATER_TYPES RaterRunner REPLY_SCHEMA ServiceRater Status
    """,
    "emonet.benchmark.report": """
        as_latex as_markdown figures html_leaderboard leaderboard_data tables write_report
    """,
    "emonet.annotation": """
        init_project Made ProjectFolder read_project_folder
    """,
    "emonet.annotation.protocols": """
        adjudicated best_worst best_worst_scores binary bradley_terry check_protocol check_values Choice
        decide Decision Enter Feedback feedback first_stage FormField hq Item ItemScore Judgement Latent
        latent_consensus make_units matching pair_scores pairs presence Protocol protocol protocol_from_dict
        protocol_to_dict PROTOCOLS question_text QuestionKind questionnaire RaterSigns Replay replay_binary
        Role rule_of screen_raters settle Settled simulate Simulation Stage synthetic_values SyntheticRater
        Unit
    """,
    "emonet.annotation.store": """
        add_person adjudicate adjudications Answer AnsweredError Assignment audit_log AuditEntry
        change_person correct create_project Estimate Event EventKind events export find_item find_person
        find_unit FORMATS history items Kind last_event NoProjectError NotAssignedError open_store
        own_progress OwnProgress people Person PersonProgress Progress progress Project ProjectItem
        read_project rebuild Receipt record Remaining remaining RoleName StageProgress Store Submission
        submit take to_labelled to_ratings undo Undone unit_states units UnitState valid_judgements withdraw
    """,
    "emonet.annotation.accounts": """
        change_password check_new_password end_session end_sessions find_visitor hash_password Invitation
        InvitationError invite join new_token NewSession PasswordError read_invitation record RoleName ROLES
        same_token set_active SHORTEST sign_in SignInError start_session token_hash TooManyAttemptsError
        verify_password Visitor
    """,
    "emonet.annotation.desk": """
        Activity activity Agreement agreement agreement_by_dimension Answers Beside beside consensus_rows
        ConsensusRow Desk Disagreement disagreements Funnel funnels FunnelStage look mean_alpha rater_detail
        rater_rows RaterDetail RaterRow tabulate
    """,
    "emonet.annotation.web": """
        create_app WebSettings
    """,
    "emonet.bulk": """
        Annotator calibrate Calibration caption_data CaptionData CaptionShard choose_settings Event Executor
        Failed Finished Output paraphrasing_cost Plan plan ProcessPool Progress RayCluster run RunStatus
        script Settings ShardStatistics status Storage Summary Totals Watch Workforce
    """,
    "emonet.synthesis.portraits": """
        Audit audit_design audit_document audit_text Balance check_portrait Checked CheckRules Design
        design_portraits DiffusersGenerator Factor FolderGenerator Generator Level Made mark_picture
        measure_balance Order Portraits Prompt Provenance read_factors read_provenance Rejection
        ServiceGenerator Share synthesize_portraits write_prompt_files write_prompts
    """,
    "emonet.synthesis.voices": """
        ask_for_scripts Balance Burst Clip Effort EspeakGenerator Failure FinishPolicy Generator Heard Hours
        hours_table LANGUAGES Listener load_espeak make_design measure_balance Order Part plan_voices
        Prosody prosody_of read_services record_clips Release Script ScriptRules ServiceGenerator Session
        synthesize_voices Take TranscriptionListener VoiceDesign VoicePlan VoiceServices write_release
        write_scripts WrittenScripts
    """,
    "emonet.client": """
        Captioned Client Reply ServerRefusedError StreamReply
    """,
    "emonet.serve": """
        create_app Limits read_keys refuse_open_door run ServeSettings
    """,
    "emonet.serve.page": """
        mount router
    """,
}


@pytest.mark.parametrize("package", sorted(_PUBLIC))
def test_public_names_are_pinned(package: str) -> None:
    """A public name appears or goes only on purpose, and each one exists."""
    module = import_module(package)
    assert set(module.__all__) == set(_PUBLIC[package].split())
    assert all(hasattr(module, name) for name in module.__all__)


def test_missing_extra_names_the_install_line() -> None:
    """An absent package answers with the command that installs it."""
    with pytest.raises(MissingExtraError, match=r"pip install 'emonet\[video\]'"):
        require("no_such_package_here", extra="video", feature="reading video")
