"""Names of mmcv.ops that this package leaves to others."""

_SPARSE = "spconv"
_POINTS = "pytorch3d or torch-points-kernels"
_BOXES_3D = "OpenPCDet or a compiled mmcv"
_ROTATED = "a compiled mmcv, as mmrotate uses it"
_STYLEGAN = "torch_utils.ops of NVIDIA's stylegan3"
_MMCV = "a compiled mmcv"

#: Name in mmcv.ops to what has it.
PROVIDERS: dict[str, str] = {
    **dict.fromkeys(
        (
            "SparseConv2d",
            "SparseConv3d",
            "SparseConvTensor",
            "SparseConvTranspose2d",
            "SparseConvTranspose3d",
            "SparseInverseConv2d",
            "SparseInverseConv3d",
            "SparseMaxPool2d",
            "SparseMaxPool3d",
            "SparseModule",
            "SparseSequential",
            "SubMConv2d",
            "SubMConv3d",
            "scatter_nd",
        ),
        _SPARSE,
    ),
    **dict.fromkeys(
        (
            "GroupAll",
            "PointsSampler",
            "QueryAndGroup",
            "assign_score_withk",
            "ball_query",
            "chamfer_distance",
            "furthest_point_sample",
            "furthest_point_sample_with_dist",
            "gather_points",
            "grouping_operation",
            "knn",
            "three_interpolate",
            "three_nn",
        ),
        _POINTS,
    ),
    **dict.fromkeys(
        (
            "DynamicScatter",
            "RoIAwarePool3d",
            "RoIPointPool3d",
            "Voxelization",
            "boxes_iou3d",
            "boxes_iou_bev",
            "boxes_overlap_bev",
            "dynamic_scatter",
            "nms3d",
            "nms3d_normal",
            "nms_bev",
            "nms_normal_bev",
            "points_in_boxes_all",
            "points_in_boxes_cpu",
            "points_in_boxes_part",
            "voxelization",
        ),
        _BOXES_3D,
    ),
    **dict.fromkeys(
        (
            "RiRoIAlignRotated",
            "RoIAlignRotated",
            "active_rotated_filter",
            "box_iou_quadri",
            "box_iou_rotated",
            "convex_giou",
            "convex_iou",
            "diff_iou_rotated_2d",
            "diff_iou_rotated_3d",
            "min_area_polygons",
            "nms_quadri",
            "nms_rotated",
            "points_in_polygons",
            "riroi_align_rotated",
            "roi_align_rotated",
            "rotated_feature_align",
        ),
        _ROTATED,
    ),
    **dict.fromkeys(("FusedBiasLeakyReLU", "fused_bias_leakyrelu", "upfirdn2d"), _STYLEGAN),
    **dict.fromkeys(
        (
            "BorderAlign",
            "Correlation",
            "DeformRoIPool",
            "DeformRoIPoolPack",
            "ModulatedDeformRoIPoolPack",
            "PrRoIPool",
            "TINShift",
            "border_align",
            "contour_expand",
            "deform_roi_pool",
            "pixel_group",
            "prroi_pool",
            "tin_shift",
        ),
        _MMCV,
    ),
}
