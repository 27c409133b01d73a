from pruneviz import datasets as datasets
from pruneviz import plots as plots
from pruneviz import schedules as schedules
from pruneviz import teaching as teaching
from pruneviz import widgets as widgets
from pruneviz import zoo as zoo
from pruneviz.core.layers import Layer as Layer
from pruneviz.core.layers import Network as Network
from pruneviz.core.masks import Importance as Importance
from pruneviz.core.masks import Mask as Mask
from pruneviz.core.ranking import Ranking as Ranking
from pruneviz.core.ranking import rank as rank
from pruneviz.engine.model import network as network
from pruneviz.engine.pruning import apply as apply
from pruneviz.engine.pruning import prune as prune
from pruneviz.engine.scoring import importance as importance
from pruneviz.files.loading import load as load
from pruneviz.files.storage import save as save
from pruneviz.measures.intervals import wilson as wilson
from pruneviz.measures.scorecards import Scorecard as Scorecard
from pruneviz.measures.scorecards import scorecard as scorecard
from pruneviz.measures.timing import Latency as Latency
from pruneviz.measures.timing import latency as latency
from pruneviz.measures.variants import Variant as Variant
from pruneviz.measures.variants import read_variants as read_variants
from pruneviz.measures.variants import write_variants as write_variants
from pruneviz.methods.classes import keep_classes as keep_classes
from pruneviz.methods.classes import relabel as relabel
from pruneviz.methods.gates import Gated as Gated
from pruneviz.methods.gates import gate as gate
from pruneviz.methods.gates import gate_threshold as gate_threshold
from pruneviz.methods.gradual import prune_while_training as prune_while_training
from pruneviz.methods.iteration import Round as Round
from pruneviz.methods.iteration import iterate as iterate
from pruneviz.methods.keeping import keep_pruned as keep_pruned
from pruneviz.methods.recalibration import recalibrate as recalibrate
from pruneviz.methods.reconstruction import reconstruct as reconstruct
from pruneviz.methods.removing import check_removed as check_removed
from pruneviz.methods.removing import remove as remove
from pruneviz.methods.sweeps import sweep as sweep
from pruneviz.plots import alt_text as alt_text
from pruneviz.plots import plot_chain as plot_chain
from pruneviz.plots import plot_confusion as plot_confusion
from pruneviz.plots import plot_feature_maps as plot_feature_maps
from pruneviz.plots import plot_filters as plot_filters
from pruneviz.plots import plot_mask as plot_mask
from pruneviz.plots import plot_network as plot_network
from pruneviz.plots import plot_neuron_activity as plot_neuron_activity
from pruneviz.plots import plot_schedule as plot_schedule
from pruneviz.plots import plot_scorecards as plot_scorecards
from pruneviz.plots import plot_scores as plot_scores
from pruneviz.plots import plot_sensitivity as plot_sensitivity
from pruneviz.plots import plot_tradeoff as plot_tradeoff
from pruneviz.plots import plot_weight_histogram as plot_weight_histogram
from pruneviz.widgets import ChannelExplorer as ChannelExplorer
from pruneviz.widgets import FilterExplorer as FilterExplorer
from pruneviz.widgets import NeuronExplorer as NeuronExplorer
from pruneviz.widgets import ScheduleExplorer as ScheduleExplorer
from pruneviz.widgets import TinyNetwork as TinyNetwork
from pruneviz.widgets import TradeoffExplorer as TradeoffExplorer
from pruneviz.widgets import WeightExplorer as WeightExplorer
from pruneviz.widgets import explore as explore
from pruneviz.widgets.corruption.view import CorruptionView as CorruptionView

__version__: str
__all__ = [
    "ChannelExplorer",
    "CorruptionView",
    "FilterExplorer",
    "Gated",
    "Importance",
    "Latency",
    "Layer",
    "Mask",
    "Network",
    "NeuronExplorer",
    "Ranking",
    "Round",
    "ScheduleExplorer",
    "Scorecard",
    "TinyNetwork",
    "TradeoffExplorer",
    "Variant",
    "WeightExplorer",
    "alt_text",
    "apply",
    "check_removed",
    "datasets",
    "explore",
    "gate",
    "gate_threshold",
    "importance",
    "iterate",
    "keep_classes",
    "keep_pruned",
    "latency",
    "load",
    "network",
    "plot_chain",
    "plot_confusion",
    "plot_feature_maps",
    "plot_filters",
    "plot_mask",
    "plot_network",
    "plot_neuron_activity",
    "plot_schedule",
    "plot_scorecards",
    "plot_scores",
    "plot_sensitivity",
    "plot_tradeoff",
    "plot_weight_histogram",
    "plots",
    "prune",
    "prune_while_training",
    "rank",
    "read_variants",
    "recalibrate",
    "reconstruct",
    "relabel",
    "remove",
    "save",
    "schedules",
    "scorecard",
    "sweep",
    "teaching",
    "widgets",
    "wilson",
    "write_variants",
    "zoo",
]
