`timescale 1ns / 1ps
// top: a DianNao-style neural functional unit, the reference RTL of the hwsim device model.
//
// WHAT IT IS  TN inputs x TM outputs per cycle: TN*TM multipliers (or shifters), TM adder trees, TM accumulators and TM
//   requantizers. Output-stationary: a pixel's TM sums stay in the accumulators until all its beats have passed.
//   One layer at a time: an ordinary or a depthwise convolution; a dense layer is a 1x1 kernel on a 1x1 image, a group or a
//   transposed phase is a layer of its own.
//
// MODULES (the names of the model in hw/)
//   csr          the layer's shape; nothing about shapes is a parameter
//   control      loop counters, addresses, padding, two-word tiles, pace of the weight banks
//   nbin         input words    TN*A bits     address (y*IW + x)*CIT + cit
//   sb           weight words   TM*TN*W bits  two banks, lane m*TN + i: output m, input i
//   pe_column    TM of them: multipliers, tree, accumulator
//   tile_params  bias, multipliers, shifts of TM channels, address cot
//   requantizer  TM of them: accumulator -> output code
//   nbout        output words   TM*AO bits    address (oy*OW + ox)*COT + cot
//   Lane 0 is the least significant field of every word. Lanes past IC hold zero inputs and zero weights, lanes past OC
//   zero weights and zero bias, and leave the requantizer as 0.
//
// CYCLES  c = 0 is the cycle after the edge that samples start (a write of 1 to CTRL).
//   c    control issues a beat: one NBin word x one SB word. Beats outside the image take their cycle with zeros.
//   c+1  SRAM data          nbin.q, sb.q
//   c+2  products           pe_column
//   c+3  tree               pe_column
//   c+4  accumulator        after the last beat of a pixel: mon_acc_valid
//   c+5  acc * multiplier   requantizer
//   c+6  output word        nbout write port: mon_out_valid        (unfolded requantizer: c+9)
//   c+7  done               after the last pixel of the layer      (unfolded: c+10)
//   The next pixel's first beat follows without a bubble. With resident weights a layer takes the sum of its beats + 6
//   (9 unfolded) cycles, and done rises in that cycle. CYCLES holds the number, EVENTS the accumulator overflows.
//   done stays high until the next start.
//
// ARITHMETIC  Two's complement throughout. Products and tree are exact; after each beat bias-or-acc + tree enters the
//   accumulator by the rule SAT (0 wrap, 1 saturate), so with saturation the order of beats is part of the result.
//   Each lane where the exact sum left ACC bits counts one event. Rounding and clamp: requantizer, round_shift.
//
// PARAMETERS  TN, TM powers of two. A, XS: bits and sign of input codes; AO: bits of output codes; W, LOG: weight bits and
//   kind (0 linear, 1 sign and power of two); ACC, SAT: accumulator; MB, SB: multiplier magnitude and shift bits;
//   FOLD: 1 activation folded into the multipliers, 0 three-step; MODE: 0 half-up, 1 half-away, 2 half-even, 3 floor;
//   *_DEPTH: words of the memories.
//
// HOST PORT  host_sel: 0 nbin, 1 sb bank 0, 2 sb bank 1, 3 two-word flags, 4 bias, 5 m_pos, 6 m_neg, 7 shift, 8 alpha,
//   9 m2, 10 shift2, 11 load length. One word per cycle, low bits of host_data, only while idle.
//   Even output tiles go to bank 0, odd ones to bank 1, tile after tile: the words of all tiles of a bank lie one
//   after another, in issue order, so that one memory image serves resident and streamed weights.
//
// WEIGHT DMA  With CFG.dma a tile may not issue before its load length (LD cycles, one per output tile) has passed; the
//   loader works on one tile at a time, one bank ahead. The reference keeps the words in place and models the DMA as
//   time; a product would put its DMA engine on the host port of sb and keep control as it is.
//
// RESET  rst is synchronous, one cycle; only control state is reset, data is qualified by valid bits.
module top #(
    parameter TN          = 16,
    parameter TM          = 16,
    parameter A           = 11,
    parameter XS          = 1,
    parameter AO          = 11,
    parameter W           = 8,
    parameter LOG         = 0,
    parameter ACC         = 32,
    parameter SAT         = 0,
    parameter MB          = 16,
    parameter SB          = 6,
    parameter FOLD        = 1,
    parameter MODE        = 0,
    parameter NBIN_DEPTH  = 64,
    parameter SB_DEPTH    = 64,
    parameter FLAG_DEPTH  = 64,
    parameter TILE_DEPTH  = 4,
    parameter NBOUT_DEPTH = 64,
    parameter HOST        = (TM*TN*W > TM*48) ? ((TM*TN*W > TN*A) ? TM*TN*W : TN*A) : ((TM*48 > TN*A) ? TM*48 : TN*A)
) (
    input  wire              clk,
    input  wire              rst,
    // configuration
    input  wire              csr_we,
    input  wire [7:0]        csr_addr,
    input  wire [31:0]       csr_wdata,
    output wire [31:0]       csr_rdata,
    output wire              done,
    // host port of the memories
    input  wire              host_we,
    input  wire [3:0]        host_sel,
    input  wire [31:0]       host_addr,
    input  wire [HOST-1:0]   host_data,
    input  wire              host_re,         // read of nbout at host_addr, data one cycle later
    output wire [TM*AO-1:0]  host_q,
    // monitor: what a trace records
    output wire              mon_acc_valid,   // A: accumulators of a pixel are complete
    output wire [31:0]       mon_acc_addr,
    output wire [TM*ACC-1:0] mon_acc,
    output wire              mon_out_valid,   // O: nbout is written
    output wire [31:0]       mon_out_addr,
    output wire [TM*AO-1:0]  mon_out
);
    localparam OUT = (FOLD != 0) ? 6 : 9;     // stage whose cycle writes nbout
    localparam KEEP = OUT - 1;                // stage before the output register

    // ---- configuration -------------------------------------------------------------------------------------------
    wire        start, two_word, dma;
    wire [15:0] n_cot, n_oh, n_ow, n_kh, n_kw, n_cit, n_ih, n_iw, stride_y, stride_x, dil_y, dil_x;
    wire signed [17:0] pad_top, pad_left;
    wire [31:0] base, step_kx, step_ky, step_ox, step_oy, step_cot, n_words;
    wire [6:0]  oc_tail;
    wire signed [31:0] lo, hi;
    reg         busy, done_q;
    reg  [47:0] cycles;
    reg  [31:0] events;

    csr u_csr (
        .clk(clk), .rst(rst), .we(csr_we), .addr(csr_addr), .wdata(csr_wdata), .rdata(csr_rdata), .start(start),
        .busy(busy), .done(done_q), .cycles(cycles), .events(events),
        .two_word(two_word), .dma(dma),
        .cot(n_cot), .oh(n_oh), .ow(n_ow), .kh(n_kh), .kw(n_kw), .cit(n_cit), .ih(n_ih), .iw(n_iw),
        .stride_y(stride_y), .stride_x(stride_x), .dil_y(dil_y), .dil_x(dil_x), .pad_top(pad_top), .pad_left(pad_left),
        .base(base), .step_kx(step_kx), .step_ky(step_ky), .step_ox(step_ox), .step_oy(step_oy), .step_cot(step_cot), .words(n_words),
        .oc_tail(oc_tail), .lo(lo), .hi(hi));

    // ---- control -------------------------------------------------------------------------------------------------
    wire        issue, in_image, bank, first, last, layer_end;
    wire [31:0] x_addr, w_addr, cot, out_addr;

    control #(.TN(TN), .TM(TM), .FLAG_DEPTH(FLAG_DEPTH), .TILE_DEPTH(TILE_DEPTH)) u_control (
        .clk(clk), .rst(rst), .start(start),
        .host_flag_we(host_we && host_sel == 4'd3), .host_ldlen_we(host_we && host_sel == 4'd11),
        .host_addr(host_addr), .host_data(host_data[31:0]),
        .two_word(two_word), .dma(dma),
        .n_cot(n_cot), .n_oh(n_oh), .n_ow(n_ow), .n_kh(n_kh), .n_kw(n_kw), .n_cit(n_cit), .n_ih(n_ih), .n_iw(n_iw),
        .stride_y(stride_y), .stride_x(stride_x), .dil_y(dil_y), .dil_x(dil_x), .pad_top(pad_top), .pad_left(pad_left),
        .base(base), .step_kx(step_kx), .step_ky(step_ky), .step_ox(step_ox), .step_oy(step_oy), .step_cot(step_cot), .n_words(n_words),
        .issue(issue), .in_image(in_image), .x_addr(x_addr), .bank(bank), .w_addr(w_addr),
        .first(first), .last(last), .layer_end(layer_end), .cot(cot), .out_addr(out_addr));

    // ---- the beat's control bits travel beside its data: index k is valid in cycle c+k -----------------------------
    reg [OUT:1]      v, v_first, v_last, v_layer_end;
    reg [32*OUT-1:0] p_cot, p_out;            // stage k at bits 32*(k-1)

    always @(posedge clk) begin
        v       <= rst ? {OUT{1'b0}} : {v[OUT-1:1], issue};
        v_first <= {v_first[OUT-1:1], first};
        v_last  <= {v_last[OUT-1:1], last};
        v_layer_end <= {v_layer_end[OUT-1:1], layer_end};
        p_cot   <= {p_cot[32*(OUT-1)-1:0], cot};
        p_out   <= {p_out[32*(OUT-1)-1:0], out_addr};
    end

    // ---- memories ------------------------------------------------------------------------------------------------
    wire [TN*A-1:0]    x1;
    wire [TM*TN*W-1:0] w1;

    nbin #(.TN(TN), .A(A), .DEPTH(NBIN_DEPTH)) u_nbin (
        .clk(clk), .host_we(host_we && host_sel == 4'd0), .host_addr(host_addr), .host_data(host_data[TN*A-1:0]),
        .issue(issue), .in_image(in_image), .addr(x_addr), .q(x1));

    sb #(.TN(TN), .TM(TM), .W(W), .DEPTH(SB_DEPTH)) u_sb (
        .clk(clk), .host_we(host_we && (host_sel == 4'd1 || host_sel == 4'd2)), .host_bank(host_sel == 4'd2),
        .host_addr(host_addr), .host_data(host_data[TM*TN*W-1:0]),
        .issue(issue), .bank(bank), .addr(w_addr), .q(w1));

    wire [TM*ACC-1:0]    bias3;
    wire [TM*(MB+1)-1:0] m_pos4, m_neg4, m2_7;
    wire [TM*SB-1:0]     shift5, shift2_8;
    wire [TM*16-1:0]     alpha6;
    wire [6:0]           host_tile = {7{host_we}} & (7'd1 << (host_sel - 4'd4)) & {7{host_sel >= 4'd4 && host_sel <= 4'd10}};

    tile_params #(.TM(TM), .ACC(ACC), .MB(MB), .SB(SB), .FOLD(FOLD), .DEPTH(TILE_DEPTH)) u_tile_params (
        .clk(clk), .host_we(host_tile), .host_addr(host_addr), .host_data(host_data[TM*48-1:0]),
        .cot2(p_cot[32*1 +: 32]), .cot3(p_cot[32*2 +: 32]), .cot4(p_cot[32*3 +: 32]), .cot5(p_cot[32*4 +: 32]),
        .cot6(p_cot[32*5 +: 32]), .cot7((OUT > 6) ? p_cot[32*((OUT > 6) ? 6 : 0) +: 32] : 32'd0),
        .bias(bias3), .m_pos(m_pos4), .m_neg(m_neg4), .shift(shift5), .alpha(alpha6), .m2(m2_7), .shift2(shift2_8));

    // ---- the array -----------------------------------------------------------------------------------------------
    wire [TM-1:0]     event4;
    wire [TM*ACC-1:0] acc4;
    wire [TM*AO-1:0]  y;
    wire              tail = (p_cot[32*(KEEP-1) +: 32] == {16'd0, n_cot} - 32'd1);

    genvar m;
    generate
        for (m = 0; m < TM; m = m + 1) begin : column
            localparam [6:0] LANE = m;
            pe_column #(.TN(TN), .A(A), .XS(XS), .W(W), .LOG(LOG), .ACC(ACC), .SAT(SAT)) u_pe (
                .clk(clk), .x(x1), .w(w1[m*TN*W +: TN*W]), .valid3(v[3]), .first3(v_first[3]),
                .bias3(bias3[m*ACC +: ACC]), .acc(acc4[m*ACC +: ACC]), .event4(event4[m]));
            requantizer #(.ACC(ACC), .AO(AO), .MB(MB), .SB(SB), .FOLD(FOLD), .MODE(MODE)) u_requantizer (
                .clk(clk), .acc(acc4[m*ACC +: ACC]),
                .m_pos(m_pos4[m*(MB+1) +: MB+1]), .m_neg(m_neg4[m*(MB+1) +: MB+1]), .shift(shift5[m*SB +: SB]),
                .alpha(alpha6[m*16 +: 16]), .m2(m2_7[m*(MB+1) +: MB+1]), .shift2(shift2_8[m*SB +: SB]),
                .lo(lo[AO:0]), .hi(hi[AO:0]), .keep(!tail || LANE < oc_tail), .y(y[m*AO +: AO]));
        end
    endgenerate

    assign mon_acc_valid = v[4] && v_last[4];
    assign mon_acc_addr  = p_out[32*3 +: 32];
    assign mon_acc       = acc4;
    assign mon_out_valid = v[OUT] && v_last[OUT];
    assign mon_out_addr  = p_out[32*(OUT-1) +: 32];
    assign mon_out       = y;

    nbout #(.TM(TM), .AO(AO), .DEPTH(NBOUT_DEPTH)) u_nbout (
        .clk(clk), .we(mon_out_valid), .addr(mon_out_addr), .data(y),
        .host_re(host_re), .host_addr(host_addr), .host_q(host_q));

    // ---- status --------------------------------------------------------------------------------------------------
    integer k;
    reg [31:0] events4;
    always @* begin
        events4 = 32'd0;
        for (k = 0; k < TM; k = k + 1) events4 = events4 + {31'd0, event4[k]};
    end

    wire finished = v[OUT] && v_layer_end[OUT];
    always @(posedge clk) begin
        if (rst || start) begin
            busy   <= start && !rst;
            done_q <= 1'b0;
            cycles <= 48'd0;
            events <= 32'd0;
        end else begin
            if (busy) cycles <= cycles + 48'd1;
            if (v[4]) events <= events + events4;
            if (finished) begin
                busy   <= 1'b0;
                done_q <= 1'b1;
            end
        end
    end

    assign done = done_q;
endmodule
